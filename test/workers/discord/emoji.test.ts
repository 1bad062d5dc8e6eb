import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emojiInRoute, toEmoji } from "../../../workers/discord/emoji.ts";

describe("toEmoji()", () => {
  const rows: readonly (readonly [string, ReturnType<typeof toEmoji>])[] = [
    ["👍", { name: "👍", id: null }],
    ["thumbsup", { name: "👍", id: null }],
    [":tada:", { name: "🎉", id: null }],
    ["1️⃣", { name: "1️⃣", id: null }],
    ["👩‍👩‍👧‍👦", { name: "👩‍👩‍👧‍👦", id: null }],
    ["<:party:123>", { name: "party", id: "123" }],
    ["<a:wave:123>", { name: "wave", id: "123" }],
    ["party:123", { name: "party", id: "123" }],
    ["no_such_emoji", null],
    ["hello there", null],
    ["../../@me", null],
  ];
  for (const [text, wanted] of rows)
    it(`reads ${text}`, () => {
      assert.deepEqual(toEmoji(text), wanted);
    });
});

describe("emojiInRoute()", () => {
  it("escapes what an address cannot have", () => {
    assert.equal(emojiInRoute({ name: "👍", id: null }), "%F0%9F%91%8D");
    assert.equal(emojiInRoute({ name: "party", id: "1" }), "party%3A1");
  });
});
