import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { wrongEnds } from "./life-ends.ts";

describe("wrongEnds()", () => {
  it("has nothing against lives that ended only as they were told to", () => {
    assert.deepEqual(wrongEnds([]), []);
    assert.deepEqual(wrongEnds([{ kind: "orderly", end: 0, tookMs: 14_000 }]), []);
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

  it("finds an orderly end that was none, or not in time", () => {
    assert.deepEqual(
      wrongEnds([
        { kind: "orderly", end: 1, tookMs: 300 },
        { kind: "orderly", end: "SIGKILL", tookMs: 20_003 },
        { kind: "orderly", end: 0, tookMs: 20_001 },
      ]),
      [
        "an orderly end was 1 after 300 ms",
        "an orderly end was SIGKILL after 20003 ms",
        "an orderly end was 0 after 20001 ms",
      ],
    );
  });
});
