/** Keeps a mass failure from starving the healthy: how many retries the whole gateway may begin per second. */

/** 2 a second, 10 at once. */
export const retryRate = { perSecond: 2, burst: 10 } as const;

/** A token bucket that hands out its future: whoever comes too early is told how long to wait and has its place. */
export class RetryBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number | null = null;

  constructor(rate: { readonly perSecond: number; readonly burst: number } = retryRate) {
    this.#perSecond = rate.perSecond;
    this.#burst = rate.burst;
    this.#tokens = rate.burst;
  }

  /** Takes one token; milliseconds until it may be used, 0: now. */
  reserve(nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - (this.#filledAtMs ?? nowMs));
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1000) * this.#perSecond) - 1;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#perSecond) * 1000);
  }
}
