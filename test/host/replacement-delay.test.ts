import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplacementDelay } from "../../src/host/replacement-delay.ts";

describe("ReplacementDelay", () => {
  it("replaces a host at once the first time, then after 1 s doubling to 30 s", () => {
    const delay = new ReplacementDelay();
    assert.equal(delay.nextMs(0), 0);
    const waits = Array.from({ length: 8 }, () => {
      delay.died(1000);
      return delay.nextMs(1000);
    });
    assert.deepEqual(waits, [0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it("counts the time that has already passed", () => {
    const delay = new ReplacementDelay();
    delay.died(0);
    delay.died(100);
    assert.equal(delay.nextMs(600), 500);
    assert.equal(delay.nextMs(5000), 0);
  });

  it("begins anew after five quiet minutes", () => {
    const delay = new ReplacementDelay();
    for (let death = 0; death < 5; death += 1) delay.died(death);
    delay.died(400_000);
    assert.equal(delay.nextMs(400_000), 0);
  });
});
