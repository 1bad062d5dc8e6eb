/** The states in which a generation is on its way out: `stopping` (asked, then terminated) and `unkillable`. */
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

/** What an ending adapter does about an event. Its successor is opened by `gone` and by nothing else: break before make. */
export function fromEnding(lifecycle: Lifecycle, event: LifecycleEvent, nowMs: number): Transition {
  switch (event.kind) {
    case "run":
      if (lifecycle.wanted === "pause" && event.reason === "config_changed") return stay(lifecycle);
      return wantFresh(lifecycle, event.reason);
    case "resume":
      return lifecycle.wanted === "pause" ? wantFresh(lifecycle, "operator") : stay(lifecycle);
    case "pause":
      // What is being removed stays so: a pause must not bring it back into the list of what should exist.
      if (lifecycle.wanted === "remove") return stay(lifecycle);
      return { lifecycle: { ...lifecycle, wanted: "pause" }, effects: [] };
    case "remove":
      return { lifecycle: { ...lifecycle, wanted: "remove" }, effects: [] };
    case "failed":
      return event.by === "terminate" ? terminate(lifecycle) : stay(lifecycle);
    case "stop_settled":
      return terminate(lifecycle);
    case "deadline":
      if (stepOf(lifecycle) === "ask") return terminate(lifecycle);
      return lifecycle.state === "stopping" ? giveUp(lifecycle, nowMs) : stay(lifecycle);
    case "gone":
      return settle(lifecycle, nowMs);
    case "recycle":
    case "invalidate":
    case "started":
    case "reconnecting":
    case "connected":
    case "retry_planned":
    case "retry_due":
      return stay(lifecycle);
  }
}

function stepOf(lifecycle: Lifecycle): Ending["step"] {
  return lifecycle.ending?.step ?? "terminate";
}

/** The first cause stands unless a person or a config has asked for a fresh one meanwhile. */
function wantFresh(lifecycle: Lifecycle, reason: "config_changed" | "operator"): Transition {
  return {
    lifecycle: {
      ...lifecycle,
      wanted: "run",
      reason: lifecycle.state === "unkillable" ? lifecycle.reason : reason,
      ending: { step: stepOf(lifecycle), failure: null },
    },
    effects: [{ kind: "clear_streak" }],
  };
}

function terminate(lifecycle: Lifecycle): Transition {
  if (lifecycle.state !== "stopping" || stepOf(lifecycle) === "terminate") return stay(lifecycle);
  return {
    lifecycle: { ...lifecycle, ending: { step: "terminate", failure: lifecycle.ending?.failure ?? null } },
    effects: [{ kind: "terminate" }],
  };
}

function giveUp(lifecycle: Lifecycle, nowMs: number): Transition {
  return {
    lifecycle: enter(lifecycle, "unkillable", {
      nowMs,
      reason: lifecycle.reason,
      message: lifecycle.message,
      userAction: lifecycle.userAction,
      ending: lifecycle.ending,
    }),
    effects: [{ kind: "condemn" }],
  };
}

function settle(lifecycle: Lifecycle, nowMs: number): Transition {
  switch (lifecycle.wanted) {
    case "remove":
      return { lifecycle: enter(lifecycle, "stopped", { nowMs, reason: "config_changed" }), effects: [] };
    case "pause":
      return { lifecycle: enter(lifecycle, "paused", { nowMs, reason: "operator" }), effects: [] };
    case "run": {
      const cause = lifecycle.ending?.failure ?? null;
      if (cause !== null) return backOff(lifecycle, cause, nowMs);
      return open(lifecycle, { reason: lifecycle.reason, message: lifecycle.message, nowMs });
    }
  }
}
