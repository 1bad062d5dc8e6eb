/** How long a dead host's successor waits: not at all the first time, then 1 s doubling to 30 s. */

const firstDelayMs = 1000;
const longestDelayMs = 30_000;
/** A host that lived this long begins anew. */
const forgetAfterMs = 300_000;

/** One slot's memory of its hosts' deaths. Times are of a monotonic clock, milliseconds. */
export class ReplacementDelay {
  #deaths = 0;
  #lastDeathMs = Number.NEGATIVE_INFINITY;

  /** A host of this slot died unasked. */
  died(nowMs: number): void {
    this.#deaths = nowMs - this.#lastDeathMs > forgetAfterMs ? 1 : this.#deaths + 1;
    this.#lastDeathMs = nowMs;
  }

  /** What is left to wait before the next one may start. */
  nextMs(nowMs: number): number {
    if (this.#deaths <= 1) return 0;
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (this.#deaths - 2));
    return Math.max(0, this.#lastDeathMs + delayMs - nowMs);
  }
}
