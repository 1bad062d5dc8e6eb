/** When a consumer's thread comes back. */

const firstDelayMs = 1000;
const longestDelayMs = 30_000;
const stableAfterMs = 60_000;

/** Pure state of one thread's restarts: at once the first time, then 1 s doubling to 30 s; forgotten after a minute of running. */
export class RestartDelay {
  #failures = 0;

  /** The delay after a life that ran for `ranMs`, 0 when it never did. */
  next(ranMs: number): number {
    if (ranMs >= stableAfterMs) this.#failures = 0;
    this.#failures += 1;
    if (this.#failures === 1) return 0;
    return Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#failures - 2, 10));
  }
}
