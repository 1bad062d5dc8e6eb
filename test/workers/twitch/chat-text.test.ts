import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { chatParts, longestChatText } from "../../../workers/twitch/chat-text.ts";

const zeroWidthSpace = "\u200B";
const anyText = fc.string({ unit: "binary", maxLength: 3_000 });
/** Texts with what is dangerous in them. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom("/ban ann", ".timeout", "\r\nJOIN #x", "\u0001ACTION x\u0001", "\0", "\n", " ", "😀"),
      fc.string(),
    ),
    {
      maxLength: 200,
    },
  )
  .map((words) => words.join(""));

describe("chatParts()", () => {
  it("gives parts of at most 500 characters, each with something in it", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostileText), (text) => {
        for (const part of chatParts(text)) {
          assert.ok(Array.from(part).length <= longestChatText);
          assert.notEqual(part.trim(), "");
          assert.ok(part.isWellFormed() || !text.isWellFormed());
        }
      }),
    );
  });

  it("never gives a command, a line break or a control character", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostileText), (text) => {
        for (const part of chatParts(text)) {
          assert.doesNotMatch(part, /^\s*[/.]/u);
          assert.doesNotMatch(part, /\p{Cc}/u);
        }
      }),
    );
  });

  it("keeps every word, in order", () => {
    const word = fc.stringMatching(/^[a-z]{1,12}$/u);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 300 }), (words) => {
        assert.equal(chatParts(words.join(" ")).join(" "), words.join(" "));
      }),
    );
  });

  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["one\ntwo\n\n three", ["one two three"]],
    ["**bold** and `code` at https://example.org/x", ["bold and code at https://example.org/x"]],
    ["- first\n- second", ["• first • second"]],
    ["/ban ann", [`${zeroWidthSpace}/ban ann`]],
    [".me", [`${zeroWidthSpace}.me`]],
    ["...", [`${zeroWidthSpace}...`]],
    ["and/or", ["and/or"]],
    ["", []],
    [" \n ", []],
  ];
  for (const [text, parts] of rows)
    it(`says ${JSON.stringify(text)} as ${JSON.stringify(parts)}`, () => {
      assert.deepEqual(chatParts(text), parts);
    });

  it("guards a part that begins like a command only where it was cut, and still keeps to the limit", () => {
    const parts = chatParts(`${"x".repeat(499)} /${"y".repeat(499)}`);
    assert.deepEqual(
      parts.map((part) => [part.slice(0, 2), Array.from(part).length]),
      [
        ["xx", 499],
        [`${zeroWidthSpace}/`, 500],
        ["y", 1],
      ],
    );
  });

  it("says 500 characters that take two units each in one message", () => {
    assert.deepEqual(
      chatParts("😀".repeat(501)).map((part) => Array.from(part).length),
      [500, 1],
    );
  });
});
