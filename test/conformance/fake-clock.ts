/** Time that passes as fast as a case likes, and as ever while it says nothing; the network stays as it is. */
import { FakeTimers } from "./fake-timers.ts";
import { realDelay, realNow, turns, within } from "./within.ts";

/** How far time goes in one step, milliseconds: small enough that no timer is passed by far. */
const defaultStepMs = 250;
/** For {@link FakeClock.gentle}: what must be done over the network within a deadline has its time on a busy machine, too. */
const gentleStepMs = 50;
/** What the network gets in each step, milliseconds of the machine's own time: no deadline passes before an answer can come. */
const networkMs = 4;
/** What it gets before time is hurried at all: an answer that is on its way is no reason for a deadline. */
const graceMs = 250;
/** Once nothing has waited for time to pass for so long, of the machine's own time, nothing will come of it: the rest passes at once. */
const idleMs = 250;
/** How often the clock is put right while no case hurries it. */
const followMs = 5;

/**
 * The timers and the date of this process until it is disposed. Make it before the adapter starts, so that it has all of
 * its timers; cases with one must not run beside others.
 */
export class FakeClock implements AsyncDisposable {
  readonly #timers = new FakeTimers();
  readonly #following: Promise<void>;
  readonly #stepMs: number;
  #isHurried = false;
  #isOver = false;

  constructor(stepMs: number = defaultStepMs) {
    this.#stepMs = stepMs;
    this.#following = this.#follow();
  }

  /** One that hurries a fifth as fast, for an adapter that is to connect again meanwhile. */
  static gentle(): FakeClock {
    return new FakeClock(gentleStepMs);
  }

  /** Lets `seconds` pass. */
  async advance(seconds: number): Promise<void> {
    await this.#hurry(() => false, seconds);
  }

  /** Lets time pass until `isOver`, at most `seconds`. Says whether it was. */
  async advanceUntil(isOver: () => boolean, seconds: number): Promise<boolean> {
    let quietMs = 0;
    for (let waitedMs = 0; waitedMs < graceMs && !isOver(); waitedMs += networkMs) {
      await realDelay(networkMs);
      quietMs = this.#timers.isEmpty ? quietMs + networkMs : 0;
    }
    return this.#hurry(isOver, seconds, quietMs);
  }

  async #hurry(isOver: () => boolean, seconds: number, quietBeforeMs = 0): Promise<boolean> {
    this.#isHurried = true;
    let quietMs = quietBeforeMs;
    for (let leftMs = seconds * 1_000; leftMs > 0 && !isOver();) {
      quietMs = this.#timers.isEmpty ? quietMs + networkMs : 0;
      const passingMs = quietMs < idleMs ? Math.min(this.#stepMs, leftMs) : leftMs;
      this.#timers.tick(passingMs);
      leftMs -= passingMs;
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

  /**
   * `promise`, with time hurried until it settles, by `seconds` at most.
   * @throws {Error} naming `what` when it does not; what it rejects with.
   */
  async hurry<Value>(promise: Promise<Value>, seconds: number, what: string): Promise<Value> {
    await this.outcomeOf(promise, seconds, what);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#following;
    this.#timers[Symbol.dispose]();
  }

  async #follow(): Promise<void> {
    let lastMs = realNow();
    while (!this.#isOver) {
      await realDelay(followMs);
      const nowMs = realNow();
      if (!this.#isHurried) this.#timers.tick(Math.round(nowMs - lastMs));
      lastMs = nowMs;
    }
  }
}

/** How a promise ended. */
export type Outcome = { readonly kind: "resolved" } | { readonly kind: "rejected"; readonly reason: unknown };
