/** What becomes of a message that was not handled. Pure. */

/** The wait before attempt 2, in milliseconds; it doubles with each further one. */
const firstDelayMs = 1_000;
/** The longest wait of our own. */
const longestDelayMs = 60_000;
/** The longest wait a consumer may ask for: a day. */
const longestAskedMs = 86_400_000;

/**
 * How long until the next attempt after number `attempt` failed. Between half of 1 s, 2 s, 4 s … 60 s and the whole of it,
 * so that what failed together does not come back together. `askedMs`: the consumer's own wish, taken as it is.
 */
export function retryDelayMs(attempt: number, askedMs: number | null, random: () => number): number {
  if (askedMs !== null && Number.isFinite(askedMs)) return Math.min(Math.max(0, askedMs), longestAskedMs);
  const ceiling = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(30, attempt - 1));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
