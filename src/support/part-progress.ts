/** Answers of several messages: one that failed half-way and is sent again goes on where it stopped. */
import { BoundedMap } from "./bounded-map.ts";

/** What is shown of one send. */
type Progress = { shown: number; firstId: string };

/** Sends that failed and did not come back are forgotten, the oldest first. */
const mostRemembered = 1_000;

/** How far each send got, by its idempotency key. */
export class PartProgress {
  readonly #progress = new BoundedMap<Progress>(mostRemembered);

  /** Runs the steps that have not succeeded under this key yet; resolves with what the first one resolved with. */
  async run(key: string, steps: readonly (() => Promise<string>)[]): Promise<string> {
    const progress = this.#progress.get(key) ?? { shown: 0, firstId: "" };
    this.#progress.delete(key);
    try {
      for (const step of steps.slice(progress.shown)) {
        const id = await step();
        if (progress.shown === 0) progress.firstId = id;
        progress.shown += 1;
      }
    } catch (reason) {
      if (progress.shown > 0) this.#progress.set(key, progress);
      throw reason;
    }
    return progress.firstId;
  }
}
