/** What the state machine of one runtime key remembers, what moves it, and what it wants done. */
import type { AdapterState, Reason } from "../contract/status.ts";
import type { Failure } from "./failure.ts";

/** How far the end of a generation has come, and whether it is a failure (`null`: it was wanted, so it is not counted). */
export type Ending = { readonly step: "ask" | "terminate"; readonly failure: Failure | null };

/** One runtime key's state. A thread may exist in `starting`, `running`, `reconnecting`, `stopping` and `unkillable`, in no other state. */
export type Lifecycle = {
  readonly state: AdapterState;
  readonly reason: Reason;
  readonly message: string | null;
  readonly userAction: string | null;
  /** When this state was entered; milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What is to be once the present generation is gone. */
  readonly wanted: "run" | "pause" | "remove";
  /** Set in `stopping` and `unkillable` only. */
  readonly ending: Ending | null;
  /** In `starting` only: its library lost the connection before `start` was answered. */
  readonly lostConnection: string | null;
  /** In `backing_off` and `needs_attention` only. */
  readonly nextRetryAtMs: number | null;
};

/** Everything that can happen to an adapter. */
export type LifecycleEvent =
  /** A fresh generation is wanted now. A new config leaves a paused adapter paused, an operator's word does not. */
  | { readonly kind: "run"; readonly reason: "config_changed" | "operator" }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "remove" }
  /** Its config has errors and there never was a good one. */
  | { readonly kind: "invalidate"; readonly message: string }
  | { readonly kind: "started" }
  | { readonly kind: "reconnecting"; readonly message: string }
  | { readonly kind: "connected" }
  /** The live generation must end. `terminate`: it cannot be asked. */
  | { readonly kind: "failed"; readonly failure: Failure; readonly by: Ending["step"] }
  /** It must make way though nothing is wrong with it: uncounted. */
  | { readonly kind: "recycle"; readonly reason: "max_age" | "host_died"; readonly message: string }
  /** `stop` was answered, whatever the answer. */
  | { readonly kind: "stop_settled" }
  /** The time for the present state's step is over. */
  | { readonly kind: "deadline" }
  /** Its thread or its host is gone. Uncounted: it was not its own doing. */
  | { readonly kind: "gone"; readonly failure: Failure; readonly isCounted: boolean }
  | { readonly kind: "retry_planned"; readonly atMs: number; readonly needsAttention: boolean }
  | { readonly kind: "retry_due" };

/** What the shell does for the machine. Each arms the one timer of its state. */
export type Effect =
  /** Open the next generation. */
  | { readonly kind: "open"; readonly cause: Reason }
  /** Ask the adapter to stop; `stop_settled` or `deadline` follows. */
  | { readonly kind: "ask" }
  /** End the thread; `gone` or `deadline` follows. */
  | { readonly kind: "terminate" }
  /** The thread survived: its host must go. */
  | { readonly kind: "condemn" }
  /** Decide when to try again; `retry_planned` follows. */
  | { readonly kind: "plan_retry"; readonly failure: Failure }
  | { readonly kind: "await_retry"; readonly atMs: number }
  /** What was held against this adapter is forgotten. */
  | { readonly kind: "clear_streak" };

/** The next state, and what to do about it in this order. */
export type Transition = { readonly lifecycle: Lifecycle; readonly effects: readonly Effect[] };

/** A state entered afresh: what belonged to the last one is gone, what is wanted stays. */
export function enter(
  from: Lifecycle,
  state: AdapterState,
  changes: Partial<Omit<Lifecycle, "state" | "sinceMs">> & { readonly nowMs: number },
): Lifecycle {
  const { nowMs, ...rest } = changes;
  return {
    reason: "none",
    message: null,
    userAction: null,
    wanted: from.wanted,
    ending: null,
    lostConnection: null,
    nextRetryAtMs: null,
    ...rest,
    state,
    sinceMs: state === from.state ? from.sinceMs : nowMs,
  };
}

/** Nothing changes. */
export function stay(lifecycle: Lifecycle): Transition {
  return { lifecycle, effects: [] };
}

/** The next generation is opened; `because` is what the state shows until it runs. */
export function open(
  from: Lifecycle,
  because: { readonly reason: Reason; readonly message: string | null; readonly nowMs: number },
  before: readonly Effect[] = [],
): Transition {
  return {
    lifecycle: enter(from, "starting", { ...because, wanted: "run" }),
    effects: [...before, { kind: "open", cause: because.reason }],
  };
}

/** No thread is left after a failure: when the next one may start is the restart policy's to say. */
export function backOff(from: Lifecycle, failure: Failure, nowMs: number): Transition {
  return {
    lifecycle: enter(from, "backing_off", {
      nowMs,
      reason: failure.reason,
      message: failure.message,
      userAction: failure.userAction,
      wanted: "run",
    }),
    effects: [{ kind: "plan_retry", failure }],
  };
}
