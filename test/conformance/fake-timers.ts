/**
 * The timers of this process in the kit's hands. Not node:test's own: clearing one of its timers can fail inside its queue
 * (Node 26.10), and a library's clean-up is then taken for the culprit.
 */
import { syncBuiltinESMExports } from "node:module";
import { mock } from "node:test";
import timers from "node:timers";
import { promisify } from "node:util";
import { mockClocks } from "../support/mocked-time.ts";

type Callback = (...args: readonly unknown[]) => unknown;

/** Taken before any are faked. */
const real = { setTimeout, setInterval, clearTimeout, clearInterval };
/** Longer ones fire at once, as Node's do. */
const longestMs = 2_147_483_647;

/** One timer, with what libraries call on it. */
class FakeTimer implements Disposable {
  readonly #owner: FakeTimers;
  readonly #run: () => void;
  readonly #delayMs: number;
  readonly isPeriodic: boolean;
  dueMs = 0;
  #hasRef = true;
  /** Once there is no fake time any more. */
  #real: NodeJS.Timeout | null = null;

  constructor(owner: FakeTimers, delayMs: number, isPeriodic: boolean, run: () => void) {
    this.#owner = owner;
    this.#run = run;
    this.#delayMs = delayMs >= 1 && delayMs <= longestMs ? Math.trunc(delayMs) : 1;
    this.isPeriodic = isPeriodic;
    this.refresh();
  }

  refresh(): this {
    this.#real?.refresh();
    if (this.#real !== null) return this;
    this.dueMs = this.#owner.nowMs + this.#delayMs;
    this.#owner.add(this);
    return this;
  }

  fire(): void {
    if (this.isPeriodic) this.refresh();
    try {
      this.#run();
    } catch (reason) {
      // As from a real timer: nobody can catch it.
      queueMicrotask(() => {
        throw reason;
      });
    }
  }

  close(): this {
    this.#owner.remove(this);
    real.clearTimeout(this.#real ?? undefined);
    return this;
  }

  /** Goes on in the machine's own time. */
  release(): void {
    const run = (): void => this.#run();
    const leftMs = Math.max(1, this.dueMs - this.#owner.nowMs);
    this.#real = this.isPeriodic ? real.setInterval(run, this.#delayMs) : real.setTimeout(run, leftMs);
    // What repeats itself for ever and nobody ends must not keep the process from ending.
    if (this.isPeriodic || !this.#hasRef) this.#real.unref();
  }

  ref(): this {
    this.#hasRef = true;
    return this;
  }

  unref(): this {
    this.#hasRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#hasRef;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

let areFaked = false;

/** For good: a fake timer may be cleared when its time is over. */
function clear(timer: unknown): void {
  if (timer instanceof FakeTimer) timer.close();
  // Begun while there was no fake one.
  else real.clearTimeout(timer as number);
}

function install(functions: Readonly<Record<string, unknown>>): void {
  Object.assign(globalThis, functions);
  Object.assign(timers, functions);
  syncBuiltinESMExports();
}

/** In place of the global timers, those of `node:timers` and the date, until it is disposed. */
export class FakeTimers implements Disposable {
  nowMs = Date.now();
  readonly #pending = new Set<FakeTimer>();
  #isOver = false;

  /** @throws {TypeError} while there are others: each would put the other's back. */
  constructor() {
    if (areFaked) throw new TypeError("Cannot fake the timers: they are faked already");
    areFaked = true;
    mockClocks({ mock }, this.nowMs);
    const start =
      (isPeriodic: boolean) =>
      (callback: Callback, delayMs = 1, ...args: readonly unknown[]): FakeTimer =>
        new FakeTimer(this, delayMs, isPeriodic, () => callback(...args));
    const wait = (delayMs: number, value: unknown): Promise<unknown> =>
      new Promise((resolve) => new FakeTimer(this, delayMs, false, () => resolve(value)));
    install({
      setTimeout: Object.assign(start(false), { [promisify.custom]: wait }),
      setInterval: start(true),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }

  /** For its timers alone. */
  add(timer: FakeTimer): void {
    if (this.#isOver) return timer.release();
    // The last one added of the same time is the last to fire.
    this.#pending.delete(timer);
    this.#pending.add(timer);
  }

  /** For its timers alone. */
  remove(timer: FakeTimer): void {
    this.#pending.delete(timer);
  }

  /** Nothing waits for time to pass. */
  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** Lets `delayMs` pass: what is due fires, in order. */
  tick(delayMs: number): void {
    const endMs = this.nowMs + delayMs;
    for (let next = this.#nextUntil(endMs); next !== null; next = this.#nextUntil(endMs)) {
      this.#pending.delete(next);
      this.#set(Math.max(this.nowMs, next.dueMs));
      next.fire();
    }
    this.#set(endMs);
  }

  /** What still waits goes on in the machine's own time: an emulator's own timers outlive a case's clock. */
  [Symbol.dispose](): void {
    install({ setTimeout: real.setTimeout, setInterval: real.setInterval });
    mock.timers.reset();
    mock.restoreAll();
    areFaked = false;
    this.#isOver = true;
    for (const timer of this.#pending) timer.release();
    this.#pending.clear();
  }

  #nextUntil(endMs: number): FakeTimer | null {
    let next: FakeTimer | null = null;
    for (const timer of this.#pending)
      if (timer.dueMs <= endMs && (next === null || timer.dueMs < next.dueMs)) next = timer;
    return next;
  }

  #set(nowMs: number): void {
    this.nowMs = nowMs;
    mock.timers.setTime(nowMs);
  }
}
