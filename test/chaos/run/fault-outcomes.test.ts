import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { undoneFaults, type FaultOutcome } from "./fault-outcomes.ts";

const outcomes = (done: number, undone: number): readonly FaultOutcome[] =>
  Array.from({ length: done + undone }, (_, index) => ({
    fault: { kind: "restart", atMs: index },
    trouble: index < done ? null : "it was dead already",
  }));

describe("undoneFaults()", () => {
  it("allows one of ten", () => {
    assert.deepEqual(undoneFaults(outcomes(18, 2)), []);
  });

  it("finds a run in which more could not be done", () => {
    const trouble = "SIGTERM and a new start (it was dead already)";
    assert.deepEqual(undoneFaults(outcomes(17, 2)), [
      `2 of 19 faults could not be done, 1 are allowed: ${trouble}; ${trouble}`,
    ]);
    assert.deepEqual(undoneFaults(outcomes(0, 1)), [`1 of 1 faults could not be done, 0 are allowed: ${trouble}`]);
  });
});
