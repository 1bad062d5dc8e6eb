import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { threadOfLane } from "../../src/consume/lane-hash.ts";

describe("threadOfLane()", () => {
  it("names one of the threads, always the same for a lane", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 1, max: 16 }), (key, conversation, count) => {
        const thread = threadOfLane(key, conversation, count);
        assert.ok(Number.isInteger(thread) && thread >= 0 && thread < count);
        assert.equal(threadOfLane(key, conversation, count), thread);
      }),
    );
  });

  it("spreads lanes evenly", () => {
    const lanes = [0, 0, 0, 0];
    for (let number = 0; number < 4000; number += 1) {
      const thread = threadOfLane("web", `c${number}`, lanes.length);
      lanes[thread] = (lanes[thread] ?? 0) + 1;
    }
    for (const count of lanes) assert.ok(count > 800 && count < 1200, String(lanes));
  });
});
