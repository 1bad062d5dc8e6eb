/** The state machine that keeps one runtime key running: state x event -> state + effects, without a clock, a thread or a timer. */
import type { Reason } from "../contract/status.ts";
import { fromEnding } from "./lifecycle-ending.ts";
import type { Lifecycle, LifecycleEvent, Transition } from "./lifecycle-event.ts";
import { fromIdle, fromWaiting } from "./lifecycle-idle.ts";
import { fromLive } from "./lifecycle-live.ts";

/** A key that nobody has asked anything of yet. */
export function initialLifecycle(nowMs: number): Lifecycle {
  return {
    state: "stopped",
    reason: "none",
    message: null,
    userAction: null,
    sinceMs: nowMs,
    wanted: "run",
    ending: null,
    lostConnection: null,
    nextRetryAtMs: null,
  };
}

/** A key whose last coordinator ended while it waited for a retry: it goes on waiting. */
export function waitingLifecycle(nowMs: number, reason: Reason): Lifecycle {
  return { ...initialLifecycle(nowMs), state: "backing_off", reason };
}

/** A key that an operator paused under an earlier coordinator, at `sinceMs`: it stays so. */
export function pausedLifecycle(sinceMs: number): Lifecycle {
  return { ...initialLifecycle(sinceMs), state: "paused", reason: "operator", wanted: "pause" };
}

/** A thread of this key may exist. */
export function hasThread(lifecycle: Lifecycle): boolean {
  switch (lifecycle.state) {
    case "starting":
    case "running":
    case "reconnecting":
    case "stopping":
    case "unkillable":
      return true;
    case "backing_off":
    case "needs_attention":
    case "stopped":
    case "paused":
    case "invalid":
      return false;
  }
}

/** Every state with every event. What makes no sense in a state (a late answer of a dead generation) changes nothing. */
export function transition(lifecycle: Lifecycle, event: LifecycleEvent, nowMs: number): Transition {
  switch (lifecycle.state) {
    case "starting":
    case "running":
    case "reconnecting":
      return fromLive(lifecycle, event, nowMs);
    case "stopping":
    case "unkillable":
      return fromEnding(lifecycle, event, nowMs);
    case "backing_off":
    case "needs_attention":
      return fromWaiting(lifecycle, event, nowMs);
    case "stopped":
    case "paused":
    case "invalid":
      return fromIdle(lifecycle, event, nowMs);
  }
}
