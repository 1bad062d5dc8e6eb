import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Settler } from "../../src/config/settle.ts";

describe("Settler", () => {
  it("calls once, a quiet time after the last touch", (t) => {
    t.mock.timers.enable();
    let calls = 0;
    using settler = new Settler({ settleMs: 300, maxSettleMs: 3000, onSettled: () => void (calls += 1) });
    settler.touch();
    t.mock.timers.tick(299);
    settler.touch();
    t.mock.timers.tick(299);
    assert.equal(calls, 0);
    t.mock.timers.tick(1);
    assert.equal(calls, 1);
    t.mock.timers.tick(10_000);
    assert.equal(calls, 1);
  });

  it("waits for steady touches no longer than the longest time, again and again", (t) => {
    t.mock.timers.enable();
    let calls = 0;
    using settler = new Settler({ settleMs: 300, maxSettleMs: 3000, onSettled: () => void (calls += 1) });
    for (let elapsedMs = 0; elapsedMs < 6000; elapsedMs += 100) {
      settler.touch();
      t.mock.timers.tick(100);
    }
    assert.equal(calls, 2);
  });

  it("forgets what has not settled when it is disposed, and hears nothing afterwards", (t) => {
    t.mock.timers.enable();
    let calls = 0;
    const settler = new Settler({ settleMs: 300, maxSettleMs: 3000, onSettled: () => void (calls += 1) });
    settler.touch();
    settler[Symbol.dispose]();
    settler.touch();
    t.mock.timers.tick(10_000);
    assert.equal(calls, 0);
  });
});
