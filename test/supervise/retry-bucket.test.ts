import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RetryBucket } from "../../src/supervise/retry-bucket.ts";

describe("RetryBucket", () => {
  it("lets a burst of ten through, then two a second, each with its own place", () => {
    const bucket = new RetryBucket();
    const waits = Array.from({ length: 14 }, () => bucket.reserve(0));
    assert.deepEqual(
      waits.slice(0, 10),
      Array.from({ length: 10 }, () => 0),
    );
    assert.deepEqual(waits.slice(10), [500, 1000, 1500, 2000]);
  });

  it("fills up again, and never over its burst", () => {
    const bucket = new RetryBucket();
    for (let taken = 0; taken < 10; taken += 1) bucket.reserve(0);
    assert.equal(bucket.reserve(500), 0);
    for (let taken = 0; taken < 10; taken += 1) assert.equal(bucket.reserve(3_600_000), 0);
    assert.equal(bucket.reserve(3_600_000), 500);
  });

  it("is not confused by a clock that goes back", () => {
    const bucket = new RetryBucket({ perSecond: 2, burst: 1 });
    assert.equal(bucket.reserve(10_000), 0);
    assert.equal(bucket.reserve(0), 500);
  });
});
