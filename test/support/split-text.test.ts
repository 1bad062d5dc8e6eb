import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { splitText, type SplitOptions, type TextMeasure, type TextUnit } from "../../src/support/split-text.ts";

function utf16(limit: number): SplitOptions {
  return { limit, unit: "utf16" };
}

const units: Readonly<Record<TextUnit, TextMeasure>> = {
  utf16: (text) => text.length,
  code_points: (text) => Array.from(text).length,
  utf8: (text) => new TextEncoder().encode(text).length,
};

/** As a platform counts that escapes what it would read as markup. */
function escaped(text: string): number {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("`", "&#96;").length;
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
    { maxLength: 30, size: "max" },
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

  it("counts bytes where the platform does", () => {
    assert.deepEqual(splitText("äöü€", { limit: 4, unit: "utf8" }), ["äö", "ü", "€"]);
    assert.deepEqual(splitText("😀a", { limit: 4, unit: "utf8" }), ["😀", "a"]);
    assert.deepEqual(splitText("abcd efgh", { limit: 4, unit: "utf8" }), ["abcd", "efgh"]);
  });

  it("counts as it is told to", () => {
    assert.deepEqual(splitText("a<b c<d", { limit: 6, measure: escaped }), ["a<b", "c<d"]);
    const parts = splitText("```ts\none\ntwo\n```", { limit: 60, measure: escaped });
    assert.deepEqual(parts, ["```ts\none\ntwo\n```"]);
  });

  it("gives a code point of its own a part that no part has room for", () => {
    const wide: TextMeasure = (text) => Array.from(text).reduce((sum, one) => sum + (one === "W" ? 50 : 1), 0);
    const parts = splitText("```\naWWb\n```", { limit: 20, measure: wide });
    assert.deepEqual(
      parts.flatMap((part) => (part.includes("W") ? [part] : [])),
      ["W", "W"],
    );
    for (const part of parts) assert.ok(part === "W" || wide(part) <= 20, part);
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
    assert.throws(() => splitText("x", { limit: 3, unit: "utf8" }), RangeError);
  });

  it("keeps every part within the limit, in every unit", () => {
    fc.assert(
      fc.property(
        markdown,
        fc.integer({ min: 4, max: 200 }),
        fc.constantFrom<TextUnit>("utf16", "code_points", "utf8"),
        (text, limit, unit) => {
          for (const part of splitText(text, { limit, unit })) assert.ok(units[unit](part) <= limit);
        },
      ),
    );
  });

  it("keeps every part within the limit of another measure", () => {
    fc.assert(
      fc.property(
        markdown.map((text) => text.replaceAll("w", "&<")),
        fc.integer({ min: 12, max: 200 }),
        (text, limit) => {
          for (const part of splitText(text, { limit, measure: escaped })) assert.ok(escaped(part) <= limit, part);
        },
      ),
    );
  });

  it("loses nothing but white space where there are no fences, and cuts no code point", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 300, unit: "binary", size: "max" }),
        fc.integer({ min: 4, max: 50 }),
        fc.constantFrom<TextUnit>("utf16", "code_points", "utf8"),
        (text, limit, unit) => {
          const plain = text.replaceAll("`", "'").toWellFormed();
          const parts = splitText(plain, { limit, unit });
          assert.equal(withoutSpace(parts.join("")), withoutSpace(plain));
          for (const part of parts) assert.ok(part.isWellFormed());
        },
      ),
    );
  });

  it("cuts between characters as people see them, where one fits", () => {
    const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
    const count = (text: string): number => Array.from(segmenter.segment(text)).length;
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom("👩‍👩‍👧", "🇩🇪", "e\u0301", "x", "ü"), { maxLength: 60, size: "max" })
          .map((list) => list.join("")),
        fc.integer({ min: 25, max: 60 }),
        fc.constantFrom<TextUnit>("utf16", "code_points", "utf8"),
        (text, limit, unit) => {
          const parts = splitText(text, { limit, unit });
          assert.equal(
            parts.reduce((sum, part) => sum + count(part), 0),
            count(text),
          );
        },
      ),
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
