/** When a token is renewed, and when it is looked at next. Pure. */

/** Of what is left of its life, when that was learnt. */
const share = 0.8;
/** Twitch wants tokens that are in use validated every hour. */
const hourMs = 3_600_000;
const soonestMs = 1_000;
const firstRetryMs = 10_000;
const longestRetryMs = 600_000;

/** When a token with `leftMs` to live is renewed, milliseconds since the epoch. */
export function renewalTime(leftMs: number, nowMs: number): number {
  return nowMs + Math.max(0, leftMs) * share;
}

/**
 * How long until the token is looked at: when it is due, an hour later at the latest, and after `failures` in a row no sooner
 * than 10 s doubling to 10 min.
 */
export function nextLookMs(token: {
  /** `null`: nobody knows. */
  readonly renewAtMs: number | null;
  readonly nowMs: number;
  readonly failures: number;
}): number {
  const { renewAtMs, nowMs, failures } = token;
  const dueMs = Math.min(hourMs, (renewAtMs ?? Number.POSITIVE_INFINITY) - nowMs);
  const retryMs = failures === 0 ? soonestMs : Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10));
  return failures === 0 ? Math.max(soonestMs, dueMs) : retryMs;
}
