import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { markerOf, plainText } from "../../src/support/plain-text.ts";

const rows: readonly (readonly [title: string, markdown: string, plain: string])[] = [
  ["takes off what formats", "# a\n**b** _c_ ~~d~~ ||e|| `f`", "a\nb c d e f"],
  ["keeps a link's address", "[a](https://b.c)", "a (https://b.c)"],
  ["writes a bare address once", "https://b.c www.d.e f@g.org", "https://b.c www.d.e f@g.org"],
  ["keeps the address of a link whose text is its end", "[c](https://b.c)", "c (https://b.c)"],
  ["marks lists", "- a\n  - b\n- c", "• a\n  • b\n• c"],
  ["numbers lists", "2. a\n3. b", "2. a\n3. b"],
  ["marks tasks", "- [x] a\n- [ ] b", "☑ a\n☐ b"],
  ["marks quotes", "> a\n> b", "> a\n> b"],
  ["leaves code alone", "```ts\na *b*\n```", "a *b*"],
  ["keeps what looks like a tag", "a <b> & c", "a <b> & c"],
];

describe("plainText()", () => {
  for (const [title, markdown, plain] of rows) it(title, () => assert.equal(plainText(markdown), plain));
});

describe("markerOf()", () => {
  it("prefers a task's box to its number", () => {
    assert.equal(markerOf({ depth: 0, number: 3, isChecked: true }), "☑");
  });
});
