import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { disturbsLook, isSteady, lookTimes } from "./calm.ts";

describe("lookTimes()", () => {
  it("counts back from the end, and leaves the beginning to what is looked at before it", () => {
    assert.deepEqual(lookTimes(120_000), [40_000, 80_000]);
    assert.deepEqual(lookTimes(130_000), [10_000, 50_000, 90_000]);
    assert.deepEqual(lookTimes(30_000), []);
  });
});

describe("disturbsLook()", () => {
  it("finds what lasts into a look or begins during one", () => {
    assert.equal(disturbsLook(35_000, 40_000, 120_000), false);
    assert.equal(disturbsLook(35_000, 40_001, 120_000), true);
    assert.equal(disturbsLook(49_999, 49_999, 120_000), true);
    assert.equal(disturbsLook(50_000, 50_000, 120_000), false);
  });
});

describe("isSteady()", () => {
  it("has the last stretch steady and two before it not", () => {
    const steady = [10_000, 50_000, 90_000, 119_000].map((atMs) => isSteady(atMs, 120_000));
    assert.deepEqual(steady, [false, false, true, true]);
  });
});
