/** The states without a thread: waiting for a retry (`backing_off`, `needs_attention`) or for a person (`stopped`, `paused`, `invalid`). */
import { enter, open, stay, type Lifecycle, type LifecycleEvent, type Transition } from "./lifecycle-event.ts";

/** What an adapter that waits for its next try does about an event. */
export function fromWaiting(lifecycle: Lifecycle, event: LifecycleEvent, nowMs: number): Transition {
  switch (event.kind) {
    case "run":
      return open(lifecycle, { reason: event.reason, message: null, nowMs }, [{ kind: "clear_streak" }]);
    case "pause":
      return {
        lifecycle: enter(lifecycle, "paused", { nowMs, reason: "operator", wanted: "pause" }),
        effects: [],
      };
    case "remove":
      return remove(lifecycle, nowMs);
    case "retry_planned":
      return {
        lifecycle: {
          ...lifecycle,
          state: event.needsAttention ? "needs_attention" : "backing_off",
          nextRetryAtMs: event.atMs,
        },
        effects: [{ kind: "await_retry", atMs: event.atMs }],
      };
    case "retry_due":
      return open(lifecycle, { reason: lifecycle.reason, message: lifecycle.message, nowMs });
    case "resume":
    case "invalidate":
    case "started":
    case "reconnecting":
    case "connected":
    case "failed":
    case "recycle":
    case "stop_settled":
    case "deadline":
    case "gone":
      return stay(lifecycle);
  }
}

/** What an adapter that nobody wants to run does about an event. */
export function fromIdle(lifecycle: Lifecycle, event: LifecycleEvent, nowMs: number): Transition {
  switch (event.kind) {
    case "run":
      if (lifecycle.state === "paused" && event.reason === "config_changed") return stay(lifecycle);
      // A key that starts for the first time may have a streak from before the coordinator was killed: it is not forgiven.
      return open(
        lifecycle,
        { reason: event.reason, message: null, nowMs },
        lifecycle.state === "paused" ? [{ kind: "clear_streak" }] : [],
      );
    case "resume":
      if (lifecycle.state !== "paused") return stay(lifecycle);
      return open(lifecycle, { reason: "operator", message: null, nowMs }, [{ kind: "clear_streak" }]);
    case "remove":
      return remove(lifecycle, nowMs);
    case "invalidate":
      if (lifecycle.state === "paused") return stay(lifecycle);
      return {
        lifecycle: enter(lifecycle, "invalid", { nowMs, reason: "spec_invalid", message: event.message }),
        effects: [],
      };
    case "pause":
    case "started":
    case "reconnecting":
    case "connected":
    case "failed":
    case "recycle":
    case "stop_settled":
    case "deadline":
    case "gone":
    case "retry_planned":
    case "retry_due":
      return stay(lifecycle);
  }
}

function remove(lifecycle: Lifecycle, nowMs: number): Transition {
  return {
    lifecycle: enter(lifecycle, "stopped", { nowMs, reason: "config_changed", wanted: "remove" }),
    effects: [],
  };
}
