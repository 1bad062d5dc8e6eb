import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { TokenBuckets } from "../../src/support/token-buckets.ts";

describe("TokenBuckets", () => {
  it("lets a burst through and then one per interval", () => {
    const buckets = new TokenBuckets({ ratePerSecond: 2, burst: 3 });
    assert.deepEqual(
      [0, 0, 0].map((now) => buckets.take("a", now)),
      [0, 0, 0],
    );
    assert.equal(buckets.take("a", 0), 500);
    assert.equal(buckets.take("a", 500), 0);
    assert.equal(buckets.take("b", 500), 0);
  });

  it("limits nothing at rate 0", () => {
    const buckets = new TokenBuckets({ ratePerSecond: 0, burst: 1 });
    assert.equal(buckets.take("a", 0) + buckets.take("a", 0) + buckets.take("a", 0), 0);
  });

  it("forgets the longest unused key when there are too many", () => {
    const buckets = new TokenBuckets({ ratePerSecond: 1, burst: 1, maxKeys: 2 });
    buckets.take("a", 0);
    buckets.take("b", 0);
    buckets.take("a", 0);
    buckets.take("c", 0);
    assert.ok(buckets.take("a", 0) > 0, "a was used later than b");
  });

  it("never lets more through than burst plus rate times time, and keeps its promise of when", () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 200 });
    const options = fc.record({
      ratePerSecond: fc.integer({ min: 1, max: 20 }),
      burst: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(options, steps, ({ ratePerSecond, burst }, gaps) => {
        const buckets = new TokenBuckets({ ratePerSecond, burst });
        let nowMs = 0;
        let taken = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const waitMs = buckets.take("a", nowMs);
          if (waitMs === 0) taken += 1;
          assert.ok(taken <= burst + (nowMs / 1000) * ratePerSecond + 1e-6);
          if (waitMs === 0) continue;
          nowMs += waitMs;
          assert.equal(buckets.take("a", nowMs), 0);
          taken += 1;
        }
      }),
    );
  });
});
