import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryDelayMs } from "../../src/flow/retry-delay.ts";

describe("retryDelayMs()", () => {
  it("doubles from 1 s to 60 s", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((attempt) => retryDelayMs(attempt, null, () => 1));
    assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it("spreads over the upper half", () => {
    assert.equal(
      retryDelayMs(3, null, () => 0),
      2000,
    );
    assert.equal(
      retryDelayMs(3, null, () => 0.5),
      3000,
    );
  });

  it("takes the consumer's own wish as it is, within a day", () => {
    assert.equal(
      retryDelayMs(3, 0, () => 1),
      0,
    );
    assert.equal(
      retryDelayMs(3, 1234, () => 0),
      1234,
    );
    assert.equal(
      retryDelayMs(3, -5, () => 0),
      0,
    );
    assert.equal(
      retryDelayMs(3, 1e12, () => 0),
      86_400_000,
    );
    assert.equal(
      retryDelayMs(1, Number.NaN, () => 1),
      1000,
    );
  });
});
