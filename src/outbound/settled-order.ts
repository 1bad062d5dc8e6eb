/**
 * Replies that go with an ack wait for the ack's transaction; a reply made on its own must not overtake them, or a client
 * that fetches by cursor would skip the earlier one.
 */
import { after } from "../support/time.ts";

/** Longest that an own reply waits: an ack that the journal refused is never told as written. */
const longestWaitMs = 2000;

/** Counts replies made and replies written; both happen in order. */
export class SettledOrder {
  #made = 0;
  #written = 0;
  #waiting: { readonly upTo: number; readonly resolve: () => void }[] = [];

  /** A reply was made; its number. */
  make(): number {
    this.#made += 1;
    return this.#made;
  }

  /** The reply is on disk, and so is every earlier one. */
  written(number: number): void {
    if (number > this.#written) this.#written = number;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ upTo }) => upTo > this.#written);
    for (const { upTo, resolve } of waiting) if (upTo <= this.#written) resolve();
  }

  /** Resolves when every reply made so far is on disk, in 2 seconds at the latest. */
  async caughtUp(): Promise<void> {
    const upTo = this.#made;
    if (this.#written >= upTo) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ upTo, resolve });
    using _limit = after(longestWaitMs, () => this.written(upTo));
    await promise;
  }
}
