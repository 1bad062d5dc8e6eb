import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { TypingIndicators } from "../../src/support/typing-indicator.ts";
import { turns } from "./turns.ts";

const periodMs = 4000;
const longestMs = 10_000;

/** Indicators on mocked time, and what they did. */
class Rig implements Disposable {
  readonly shown: string[] = [];
  readonly errors: unknown[] = [];
  readonly signals: AbortSignal[] = [];
  show: (signal: AbortSignal) => Promise<void> = async () => {};
  readonly indicators: TypingIndicators;
  readonly #test: TestContext;

  constructor(test: TestContext) {
    this.#test = test;
    test.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    this.indicators = new TypingIndicators({
      periodMs,
      longestMs,
      show: (conversation, signal) => {
        this.shown.push(conversation);
        this.signals.push(signal);
        return this.show(signal);
      },
      onError: (reason) => this.errors.push(reason),
    });
  }

  async pass(durationMs: number): Promise<void> {
    await turns();
    this.#test.mock.timers.tick(durationMs);
    await turns();
  }

  [Symbol.dispose](): void {
    this.indicators[Symbol.dispose]();
  }
}

describe("TypingIndicators", () => {
  it("shows one at once and again every period", async (t) => {
    using rig = new Rig(t);
    rig.indicators.start("a");
    assert.deepEqual(rig.shown, ["a"]);
    await rig.pass(periodMs - 1);
    assert.equal(rig.shown.length, 1);
    await rig.pass(1);
    assert.equal(rig.shown.length, 2);
    await rig.pass(periodMs);
    assert.equal(rig.shown.length, 3);
  });

  it("shows no more of it once it is stopped, and says so to the one on its way", async (t) => {
    using rig = new Rig(t);
    rig.indicators.start("a");
    rig.indicators.stop("a");
    assert.equal(rig.signals[0]?.aborted, true);
    await rig.pass(periodMs * 3);
    assert.deepEqual(rig.shown, ["a"]);
    rig.indicators.stop("a");
    rig.indicators.stop("never started");
  });

  it("has one loop per conversation however often it is started, so that one stop ends it", async (t) => {
    using rig = new Rig(t);
    for (let count = 0; count < 5; count += 1) rig.indicators.start("a");
    rig.indicators.start("b");
    await rig.pass(periodMs);
    assert.deepEqual(rig.shown.toSorted(), ["a", "a", "b", "b"]);
    rig.indicators.stop("a");
    await rig.pass(periodMs);
    assert.deepEqual(rig.shown.toSorted(), ["a", "a", "b", "b", "b"]);
  });

  it("ends by itself when nobody stops it", async (t) => {
    using rig = new Rig(t);
    rig.indicators.start("a");
    for (let count = 0; count < 10; count += 1) await rig.pass(periodMs);
    assert.equal(rig.shown.length, 3);
    assert.equal(rig.signals[0]?.aborted, true);
  });

  it("counts its time from the last start", async (t) => {
    using rig = new Rig(t);
    rig.indicators.start("a");
    await rig.pass(periodMs * 2);
    rig.indicators.start("a");
    await rig.pass(periodMs);
    await rig.pass(periodMs);
    const shown = rig.shown.length;
    assert.equal(rig.signals[0]?.aborted, false);
    await rig.pass(periodMs);
    assert.equal(rig.signals[0]?.aborted, true);
    await rig.pass(periodMs);
    assert.equal(rig.shown.length, shown);
  });

  it("starts anew after its end", async (t) => {
    using rig = new Rig(t);
    rig.indicators.start("a");
    rig.indicators.stop("a");
    rig.indicators.start("a");
    assert.equal(rig.shown.length, 2);
    await rig.pass(periodMs);
    assert.equal(rig.shown.length, 3);
  });

  it("goes on after a failure, and reports only the first of several in a row", async (t) => {
    using rig = new Rig(t);
    const failure = new Error("no route");
    rig.show = () => Promise.reject(failure);
    rig.indicators.start("a");
    await rig.pass(periodMs);
    await rig.pass(1);
    assert.equal(rig.shown.length, 2);
    assert.deepEqual(rig.errors, [failure]);
    rig.indicators.start("a");
    rig.show = async () => {};
    await rig.pass(periodMs);
    rig.show = () => Promise.reject(failure);
    await rig.pass(periodMs);
    assert.deepEqual(rig.errors, [failure, failure]);
  });

  it("survives a call that throws instead of rejecting", async (t) => {
    using rig = new Rig(t);
    rig.show = () => {
      throw new Error("thrown");
    };
    rig.indicators.start("a");
    await rig.pass(periodMs);
    assert.equal(rig.shown.length, 2);
    assert.equal(rig.errors.length, 1);
  });

  it("does not pile up calls that hang, and reports no failure that its own end caused", async (t) => {
    using rig = new Rig(t);
    rig.show = (signal) => {
      const hanging = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => hanging.reject(signal.reason));
      return hanging.promise;
    };
    rig.indicators.start("a");
    await rig.pass(periodMs);
    await rig.pass(periodMs);
    assert.equal(rig.shown.length, 1);
    rig.indicators.stop("a");
    await rig.pass(0);
    assert.deepEqual(rig.errors, []);
  });

  it("ends all of them when it is disposed, and starts no more", async (t) => {
    using rig = new Rig(t);
    rig.indicators.start("a");
    rig.indicators.start("b");
    rig.indicators[Symbol.dispose]();
    rig.indicators.start("c");
    await rig.pass(periodMs * 2);
    assert.deepEqual(rig.shown, ["a", "b"]);
    assert.ok(rig.signals.every((signal) => signal.aborted));
  });
});
