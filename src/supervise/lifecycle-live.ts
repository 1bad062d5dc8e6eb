/** The states in which a generation lives and nobody has asked it to end: `starting`, `running`, `reconnecting`. */
import { failure, type Failure } from "./failure.ts";
import {
  backOff,
  enter,
  open,
  stay,
  type Ending,
  type Lifecycle,
  type LifecycleEvent,
  type Transition,
} from "./lifecycle-event.ts";
import type { Reason } from "../contract/status.ts";

/** What a live adapter does about an event. */
export function fromLive(lifecycle: Lifecycle, event: LifecycleEvent, nowMs: number): Transition {
  switch (event.kind) {
    case "run": {
      const ending = endWanted(lifecycle, { reason: event.reason, wanted: "run", message: null, nowMs });
      return { lifecycle: ending.lifecycle, effects: [{ kind: "clear_streak" }, ...ending.effects] };
    }
    case "pause":
      return endWanted(lifecycle, { reason: "operator", wanted: "pause", message: null, nowMs });
    case "remove":
      return endWanted(lifecycle, { reason: "config_changed", wanted: "remove", message: null, nowMs });
    case "recycle":
      return endWanted(lifecycle, { reason: event.reason, wanted: "run", message: event.message, nowMs });
    case "failed":
      return endFailed(lifecycle, event.failure, { by: event.by, nowMs });
    case "deadline":
      if (lifecycle.state !== "starting") return stay(lifecycle);
      return endFailed(lifecycle, failure("start_timeout", "Start was not answered in time"), { by: "ask", nowMs });
    case "gone":
      if (event.isCounted) return backOff(lifecycle, event.failure, nowMs);
      return open(lifecycle, { reason: event.failure.reason, message: event.failure.message, nowMs });
    case "started":
      if (lifecycle.state !== "starting") return stay(lifecycle);
      return { lifecycle: connect(lifecycle, lifecycle.lostConnection, nowMs), effects: [] };
    case "reconnecting":
      if (lifecycle.state === "starting")
        return { lifecycle: { ...lifecycle, lostConnection: event.message }, effects: [] };
      return { lifecycle: connect(lifecycle, event.message, nowMs), effects: [] };
    case "connected":
      if (lifecycle.state === "starting") return { lifecycle: { ...lifecycle, lostConnection: null }, effects: [] };
      if (lifecycle.state === "running") return stay(lifecycle);
      return { lifecycle: connect(lifecycle, null, nowMs), effects: [] };
    case "resume":
    case "invalidate":
    case "stop_settled":
    case "retry_planned":
    case "retry_due":
      return stay(lifecycle);
  }
}

function connect(from: Lifecycle, lostConnection: string | null, nowMs: number): Lifecycle {
  if (lostConnection === null) return enter(from, "running", { nowMs });
  return enter(from, "reconnecting", { nowMs, reason: "platform_unavailable", message: lostConnection });
}

function endWanted(
  from: Lifecycle,
  why: {
    readonly reason: Reason;
    readonly message: string | null;
    readonly wanted: Lifecycle["wanted"];
    readonly nowMs: number;
  },
): Transition {
  return {
    lifecycle: enter(from, "stopping", { ...why, ending: { step: "ask", failure: null } }),
    effects: [{ kind: "ask" }],
  };
}

function endFailed(
  from: Lifecycle,
  cause: Failure,
  how: { readonly by: Ending["step"]; readonly nowMs: number },
): Transition {
  return {
    lifecycle: enter(from, "stopping", {
      nowMs: how.nowMs,
      reason: cause.reason,
      message: cause.message,
      userAction: cause.userAction,
      ending: { step: how.by, failure: cause },
    }),
    effects: [{ kind: how.by }],
  };
}
