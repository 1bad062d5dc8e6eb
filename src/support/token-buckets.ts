/** A rate limit per sender: one token bucket per key, bounded in number. */

/** `ratePerSecond` 0 switches the limit off. */
export type TokenBucketOptions = {
  readonly ratePerSecond: number;
  /** How many may come at once. */
  readonly burst: number;
  /** Beyond it the longest unused key is forgotten, which gives it a full bucket again. @default 10_000 */
  readonly maxKeys?: number;
};

type Bucket = { tokens: number; atMs: number };

/** The buckets of one adapter. Time is given by the caller, in milliseconds; a clock that is set back stands still. */
export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #maxKeys: number;
  /** The longest unused first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#maxKeys = options.maxKeys ?? 10_000;
  }

  /** Takes one token of `key`'s: 0 when there was one, else the milliseconds until there is. */
  take(key: string, nowMs: number): number {
    const waitMs = this.waitMs(key, nowMs);
    const bucket = this.#buckets.get(key);
    if (waitMs === 0 && bucket !== undefined) bucket.tokens -= 1;
    return waitMs;
  }

  /** How long {@link TokenBuckets.take} would ask to wait; takes nothing. */
  waitMs(key: string, nowMs: number): number {
    const { ratePerSecond, burst } = this.#options;
    if (ratePerSecond === 0) return 0;
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: burst, atMs: nowMs };
    if (known === undefined) this.#makeRoom();
    else this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * ratePerSecond);
    bucket.atMs = nowMs;
    return bucket.tokens < 1 ? Math.ceil(((1 - bucket.tokens) / ratePerSecond) * 1000) : 0;
  }

  /** Drops what is known of `key`. */
  forget(key: string): void {
    this.#buckets.delete(key);
  }

  #makeRoom(): void {
    if (this.#buckets.size < this.#maxKeys) return;
    const [longestUnused] = this.#buckets.keys();
    if (longestUnused !== undefined) this.#buckets.delete(longestUnused);
  }
}
