/** When a run of changes counts as over: after a quiet time, or at the latest after a longest one. */
import { after } from "../support/time.ts";

/** What a {@link Settler} waits for; milliseconds. */
export type SettlerOptions = {
  /** Quiet after the last touch. */
  readonly settleMs: number;
  /** From the first touch, however many follow. */
  readonly maxSettleMs: number;
  onSettled(): void;
};

/** Turns a storm of touches into one call. */
export class Settler implements Disposable {
  readonly #options: SettlerOptions;
  #quiet: Disposable | null = null;
  #longest: Disposable | null = null;
  #isDisposed = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Something changed. Does nothing once disposed. */
  touch(): void {
    if (this.#isDisposed) return;
    this.#quiet?.[Symbol.dispose]();
    this.#quiet = after(this.#options.settleMs, () => this.#settle());
    this.#longest ??= after(this.#options.maxSettleMs, () => this.#settle());
  }

  #settle(): void {
    this.#clear();
    this.#options.onSettled();
  }

  #clear(): void {
    this.#quiet?.[Symbol.dispose]();
    this.#longest?.[Symbol.dispose]();
    this.#quiet = null;
    this.#longest = null;
  }

  /** Forgets a change that has not settled. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#clear();
  }
}
