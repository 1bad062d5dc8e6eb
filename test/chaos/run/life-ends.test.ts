import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { wrongEnds } from "./life-ends.ts";

describe("wrongEnds()", () => {
  it("has nothing against lives that ended only as they were told to", () => {
    assert.deepEqual(wrongEnds([]), []);
  });

  it("finds every coordinator that ended by itself, whatever its exit code", () => {
    assert.deepEqual(
      wrongEnds([
        { kind: "unasked", end: 0, lastWords: [] },
        { kind: "unasked", end: "SIGSEGV", lastWords: ["so long"] },
      ]),
      ["the coordinator ended by itself with 0: []", 'the coordinator ended by itself with SIGSEGV: ["so long"]'],
    );
  });
});
