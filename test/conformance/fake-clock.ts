/** Time that passes as fast as a case likes, and as ever while it says nothing; the network stays as it is. */
import { FakeTimers } from "./fake-timers.ts";
import { realDelay, turns, within } from "./within.ts";

/** One step, milliseconds: small enough that no timer is passed by far. */
const stepMs = 250;
/** What the network gets in each step, milliseconds of the machine's own time: no deadline passes before an answer can come. */
const networkMs = 4;
/** What it gets before time is hurried at all: an answer that is on its way is no reason for a deadline. */
const graceMs = 250;
/** How often the clock is put right while no case hurries it. */
const followMs = 5;

/**
 * The timers and the date of this process until it is disposed. Make it before the adapter starts, so that it has all of
 * its timers; cases with one must not run beside others.
 */
export class FakeClock implements AsyncDisposable {
  readonly #timers = new FakeTimers();
  readonly #following: Promise<void>;
  #isHurried = false;
  #isOver = false;

  constructor() {
    this.#following = this.#follow();
  }

  /** Lets `seconds` pass. */
  async advance(seconds: number): Promise<void> {
    await this.#hurry(() => false, seconds);
  }

  /** Lets time pass until `isOver`, at most `seconds`. Says whether it was. */
  async advanceUntil(isOver: () => boolean, seconds: number): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < graceMs && !isOver(); waitedMs += networkMs) await realDelay(networkMs);
    return this.#hurry(isOver, seconds);
  }

  async #hurry(isOver: () => boolean, seconds: number): Promise<boolean> {
    this.#isHurried = true;
    for (let passedMs = 0; passedMs < seconds * 1_000 && !isOver(); passedMs += stepMs) {
      this.#timers.tick(stepMs);
      await realDelay(networkMs);
      await turns(2);
    }
    this.#isHurried = false;
    return isOver();
  }

  /** How `promise` ends within `seconds`. @throws {Error} naming `what` when it does not. */
  async outcomeOf(promise: Promise<unknown>, seconds: number, what: string): Promise<Outcome> {
    let outcome: Outcome | null = null;
    const ended = promise.then(
      () => (outcome = { kind: "resolved" }),
      (reason: unknown) => (outcome = { kind: "rejected", reason }),
    );
    if (await this.advanceUntil(() => outcome !== null, seconds)) return within(ended, what);
    throw new Error(`${what} has not come after ${seconds} s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#following;
    this.#timers[Symbol.dispose]();
  }

  async #follow(): Promise<void> {
    let lastMs = performance.now();
    while (!this.#isOver) {
      await realDelay(followMs);
      const nowMs = performance.now();
      if (!this.#isHurried) this.#timers.tick(Math.round(nowMs - lastMs));
      lastMs = nowMs;
    }
  }
}

/** How a promise ended. */
export type Outcome = { readonly kind: "resolved" } | { readonly kind: "rejected"; readonly reason: unknown };
