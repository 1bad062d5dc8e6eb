/** One piece of work after the other, in the order in which they were asked for. */
import { orAborted } from "./time.ts";

/** See the file's comment. Bounded by whoever asks: it holds what waits. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /**
   * What `work` resolves with, once all before it has settled. Aborted while it waits it rejects with the signal's reason, `work` never
   * runs, and whoever is behind it waits on for those before.
   */
  async take<Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    try {
      await (signal === undefined ? before : orAborted(before, signal));
    } catch (reason) {
      void before.then(turn.resolve);
      throw reason;
    }
    try {
      return await work();
    } finally {
      turn.resolve();
    }
  }
}
