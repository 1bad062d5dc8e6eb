/** When to start again after a failure, and what is held against an adapter until it has been well for long. Pure: the random source is given. */
import type { SupervisorSettings } from "../contract/spec.ts";
import type { Failure } from "./failure.ts";

/** What is held against an adapter. Literal: `{ attempt: 2, failuresAtMs: [1000, 3000], isSlow: false, wasHealthy: false }` */
export type Streak = {
  /** Failures since it was last well. */
  readonly attempt: number;
  /** When the latest of them were, at most `slow_retry_failures`. */
  readonly failuresAtMs: readonly number[];
  /** Too many in too short a time: slow retries until it is well. */
  readonly isSlow: boolean;
  /** It ran for `stable_after_ms` since its last failure. */
  readonly wasHealthy: boolean;
};

/** Nothing is held against it: new, or its config has changed. */
export const cleanStreak: Streak = { attempt: 0, failuresAtMs: [], isSlow: false, wasHealthy: false };

/** It ran for `stable_after_ms`: all is forgotten, and its first restart will be at once. */
export const healthyStreak: Streak = { ...cleanStreak, wasHealthy: true };

/** What the policy needs of `[supervisor]`. */
export type RestartSettings = Pick<
  SupervisorSettings,
  "backoffMinMs" | "backoffMaxMs" | "slowRetryFailures" | "slowRetryWindowMs" | "slowRetryMs" | "attentionRetryMs"
>;

/** The streak with this failure in it, and how long to wait. */
export type RestartPlan = { readonly streak: Streak; readonly delayMs: number; readonly needsAttention: boolean };

/**
 * How long to wait after one counted failure: full jitter over `backoff_min_ms` doubling to `backoff_max_ms`, never below
 * `backoff_min_ms`; at once after a long healthy run; slow and steady once there were too many; never before the server's own wish.
 * @param options.random 0 (inclusive) to 1 (exclusive)
 */
export function restartDelay(
  streak: Streak,
  cause: Failure,
  options: { readonly settings: RestartSettings; readonly nowMs: number; readonly random: () => number },
): RestartPlan {
  const { settings, nowMs } = options;
  const failuresAtMs = [...streak.failuresAtMs, nowMs]
    .filter((atMs) => nowMs - atMs <= settings.slowRetryWindowMs)
    .slice(-settings.slowRetryFailures);
  const next: Streak = {
    attempt: streak.attempt + 1,
    failuresAtMs,
    isSlow: streak.isSlow || failuresAtMs.length >= settings.slowRetryFailures,
    wasHealthy: false,
  };
  const ownDelayMs = cause.isTerminal ? settings.attentionRetryMs : delayOf(streak, next, options);
  return {
    streak: next,
    delayMs: Math.max(ownDelayMs, cause.retryAfterMs ?? 0),
    needsAttention: cause.isTerminal,
  };
}

function delayOf(
  before: Streak,
  now: Streak,
  options: { readonly settings: RestartSettings; readonly random: () => number },
): number {
  const { settings, random } = options;
  if (now.isSlow) return settings.slowRetryMs;
  if (before.wasHealthy) return 0;
  return Math.max(settings.backoffMinMs, Math.round(random() * backoffCapMs(now.attempt, settings)));
}

/** The longest that failure number `attempt` of a streak can wait by itself, before it counts as slow. */
export function backoffCapMs(
  attempt: number,
  settings: Pick<RestartSettings, "backoffMinMs" | "backoffMaxMs">,
): number {
  // 2 ** 40 seconds is beyond any cap; without the bound a long streak would reach Infinity.
  const doublings = Math.min(Math.max(attempt - 1, 0), 40);
  return Math.max(settings.backoffMinMs, Math.min(settings.backoffMaxMs, settings.backoffMinMs * 2 ** doublings));
}
