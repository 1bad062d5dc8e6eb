import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Measurements } from "../../src/supervise/measurements.ts";
import { threadSample } from "../support/fake-hosts.ts";

function cpu(userMicroseconds: number): { readonly userMicroseconds: number; readonly systemMicroseconds: number } {
  return { userMicroseconds, systemMicroseconds: 0 };
}

describe("Measurements", () => {
  it("takes CPU percent from one answer to the next, not from a repeated one", () => {
    const measurements = new Measurements();
    const percents = [100_000, 100_000, 100_000, 100_000, 350_000, 350_000].map((used, index) => {
      measurements.onSample(threadSample({ cpu: cpu(used) }), index * 250);
      return measurements.report().cpu.percent;
    });
    assert.deepEqual(percents, [0, 0, 0, 0, 25, 25]);
  });

  it("falls to zero when a thread uses no more CPU", () => {
    const measurements = new Measurements();
    measurements.onSample(threadSample({ cpu: cpu(0) }), 0);
    measurements.onSample(threadSample({ cpu: cpu(500_000) }), 1000);
    assert.equal(measurements.report().cpu.percent, 50);
    measurements.onSample(threadSample({ cpu: cpu(500_000) }), 3000);
    assert.equal(measurements.report().cpu.percent, 0);
  });

  it("keeps the last answers when native code leaves new ones open", () => {
    const measurements = new Measurements();
    measurements.onSample(threadSample({ cpu: cpu(700_000) }), 0);
    measurements.onSample(threadSample({ cpu: null, memory: null }), 250);
    assert.equal(measurements.report().cpu.userSeconds, 0.7);
    assert.equal(measurements.report().memory.heapBytes, 6_000_000);
  });
});
