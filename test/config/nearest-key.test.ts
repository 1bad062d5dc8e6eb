import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { nearestKey } from "../../src/config/nearest-key.ts";

const known = ["bot_token", "app_token", "port", "bind", "name"];

describe("nearestKey()", () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ["bot_tokn", "bot_token"],
    ["botToken", "bot_token"],
    ["BOT-TOKEN", "bot_token"],
    ["prot", "port"],
    ["nmae", "name"],
    ["completely_else", null],
    ["", null],
    ["x".repeat(100_000), null],
  ];
  for (const [written, nearest] of rows) {
    it(`answers ${nearest} for "${written.slice(0, 20)}"`, () => assert.equal(nearestKey(written, known), nearest));
  }

  it("finds every known key in itself, and answers the same in any order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{4,12}$/u), { minLength: 1 }), fc.nat(), (keys, pick) => {
        const written = keys[pick % keys.length] ?? "";
        assert.equal(nearestKey(written, keys), written);
        assert.equal(nearestKey(`${written}x`, keys), nearestKey(`${written}x`, keys.toReversed()));
      }),
    );
  });
});
