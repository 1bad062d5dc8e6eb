import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { splitText, type SplitOptions, type TextUnit } from "../../src/outbound/splitter.ts";

function utf16(limit: number): SplitOptions {
  return { limit, unit: "utf16" };
}

function unitsOf(text: string, unit: TextUnit): number {
  return unit === "utf16" ? text.length : Array.from(text).length;
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s/gu, "");
}

/** Lines of text with fences among them, and long words. */
const markdown = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 40, unit: "grapheme" }).map((line) => line.replaceAll("`", "'")),
      fc.constantFrom("```", "```ts", "```python", "some words in a row", "x".repeat(60), ""),
    ),
    { maxLength: 30 },
  )
  .map((lines) => lines.join("\n"));

function openFences(text: string): boolean {
  let open = false;
  for (const line of text.split("\n")) {
    if (!open && /^ {0,3}```[^`]*$/u.test(line)) open = true;
    else if (open && /^ {0,3}```\s*$/u.test(line)) open = false;
  }
  return open;
}

describe("splitText()", () => {
  it("leaves a text that fits as it is", () => {
    assert.deepEqual(splitText("hello\nworld", utf16(11)), ["hello\nworld"]);
  });

  it("makes no part of nothing", () => {
    assert.deepEqual(splitText("", utf16(10)), []);
    assert.deepEqual(splitText(" \n ".repeat(20), utf16(10)), []);
  });

  it("cuts at the last line break that fits", () => {
    assert.deepEqual(splitText("one\ntwo\nthree four", utf16(12)), ["one\ntwo", "three four"]);
  });

  it("cuts at a space where there is no line break", () => {
    assert.deepEqual(splitText("one two three", utf16(8)), ["one two", "three"]);
  });

  it("makes no empty first part of a text that begins with a line break", () => {
    assert.deepEqual(splitText(`\n${"x".repeat(12)}`, utf16(10)), [`\n${"x".repeat(9)}`, "xxx"]);
  });

  it("keeps the indentation of the line after a cut", () => {
    assert.deepEqual(splitText("first\n    second", utf16(10)), ["first", "    second"]);
  });

  it("never cuts a surrogate pair", () => {
    assert.deepEqual(splitText("a😀😀😀", utf16(4)), ["a😀", "😀😀"]);
  });

  it("never cuts a character made of several code points", () => {
    const family = "👩‍👩‍👧";
    assert.deepEqual(splitText(`abc${family}`, utf16(8)), ["abc", family]);
    assert.deepEqual(splitText("xxxe\u0301", utf16(4)), ["xxx", "e\u0301"]);
  });

  it("cuts a character that is longer than a part between its code points", () => {
    const endless = `a${"\u{1F468}\u200D".repeat(60)}`;
    for (const limit of [7, 8, 9, 10]) {
      const parts = splitText(endless, utf16(limit));
      assert.equal(parts.join(""), endless);
      for (const part of parts) assert.ok(part.isWellFormed() && part.length <= limit, JSON.stringify(part));
    }
  });

  it("counts code points where the platform does", () => {
    assert.deepEqual(splitText("😀😀😀😀", { limit: 2, unit: "code_points" }), ["😀😀", "😀😀"]);
  });

  it("closes a code fence at the cut and opens it again with its language", () => {
    const parts = splitText("```ts\nconst a = 1;\nconst b = 2;\nconst c = 3;\n```\nafter", utf16(36));
    assert.deepEqual(parts, ["```ts\nconst a = 1;\n```", "```ts\nconst b = 2;\nconst c = 3;\n```", "after"]);
  });

  it("moves a fence that would be empty into the next part", () => {
    const parts = splitText(`${"i".repeat(20)}\n\`\`\`ts\n${"c".repeat(20)}\n\`\`\``, utf16(32));
    assert.deepEqual(parts, ["i".repeat(20), `\`\`\`ts\n${"c".repeat(20)}\n\`\`\``]);
  });

  it("refuses a limit that no character fits", () => {
    assert.throws(() => splitText("x", utf16(1)), RangeError);
  });

  it("keeps every part within the limit, in either unit", () => {
    fc.assert(
      fc.property(
        markdown,
        fc.integer({ min: 2, max: 200 }),
        fc.constantFrom<TextUnit>("utf16", "code_points"),
        (text, limit, unit) => {
          for (const part of splitText(text, { limit, unit })) assert.ok(unitsOf(part, unit) <= limit);
        },
      ),
    );
  });

  it("loses nothing but white space where there are no fences", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: "binary" }), fc.integer({ min: 2, max: 50 }), (text, limit) => {
        const plain = text.replaceAll("`", "'").toWellFormed();
        const parts = splitText(plain, utf16(limit));
        assert.equal(withoutSpace(parts.join("")), withoutSpace(plain));
        for (const part of parts) assert.ok(part.isWellFormed());
      }),
    );
  });

  it("keeps the text's own words in order around repaired fences", () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 40, max: 200 }), (text, limit) => {
        const content = (lines: string): string =>
          withoutSpace(
            lines
              .split("\n")
              .filter((line) => !/^ {0,3}`{3,}[^`]*$/u.test(line))
              .join(""),
          );
        assert.equal(content(splitText(text, utf16(limit)).join("\n")), content(text));
      }),
    );
  });

  it("leaves no fence open at a cut", () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 40, max: 200 }), (text, limit) => {
        for (const part of splitText(text, utf16(limit)).slice(0, -1)) assert.equal(openFences(part), false, part);
      }),
    );
  });
});
