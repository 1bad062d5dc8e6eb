import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { renderMarkdown, type MarkdownRenderer } from "../../src/support/markdown.ts";

/** Writes each node's name around it, so that what was recognised can be read. */
const named: MarkdownRenderer = {
  text: (text) => text.replaceAll("<", "&lt;"),
  bold: (content) => `<b>${content}</b>`,
  italic: (content) => `<i>${content}</i>`,
  strike: (content) => `<s>${content}</s>`,
  spoiler: (content) => `<spoiler>${content}</spoiler>`,
  code: (text) => `<code>${text}</code>`,
  codeBlock: (text, language) => `<pre ${language}>${text}</pre>`,
  link: (content, url) => `<a ${url}>${content}</a>`,
  heading: (content, depth) => `<h${depth}>${content}</h${depth}>`,
  quote: (content) => `<quote>${content}</quote>`,
  listItem: (content, { depth, number, isChecked }) =>
    `<item ${depth} ${number ?? "-"}${isChecked === null ? "" : ` ${isChecked}`}>${content}</item>`,
  rule: () => "<rule>",
};

const rows: readonly (readonly [title: string, markdown: string, rendered: string])[] = [
  ["plain text", "hello, world", "hello, world"],
  ["nothing", "", ""],
  ["bold", "a **b** __c__", "a <b>b</b> <b>c</b>"],
  ["italic", "*a* _b_", "<i>a</i> <i>b</i>"],
  ["one in the other", "**a _b_ ~~c~~**", "<b>a <i>b</i> <s>c</s></b>"],
  ["strike", "~~a~~", "<s>a</s>"],
  ["spoilers", "||a *b*|| c", "<spoiler>a <i>b</i></spoiler> c"],
  ["no spoiler in a condition", "a || b || c", "a || b || c"],
  ["code, raw", "`a < *b*`", "<code>a < *b*</code>"],
  ["names with underscores", "snake_case_name", "snake_case_name"],
  ["a star that is one", "2 * 3 * 4", "2 * 3 * 4"],
  ["escaped marks", "\\*a\\* \\_b\\_", "*a* _b_"],
  ["links", "[a *b*](https://c.d/e?f=g_h_i)", "<a https://c.d/e?f=g_h_i>a <i>b</i></a>"],
  ["links without a text", "[](https://c.d)", "<a https://c.d>https://c.d</a>"],
  [
    "bare addresses",
    "see https://c.d/e, or <https://f.g>",
    "see <a https://c.d/e>https://c.d/e</a>, or <a https://f.g>https://f.g</a>",
  ],
  ["pictures, as links", "![a cat](https://c.d/e.png)", "<a https://c.d/e.png>a cat</a>"],
  ["links by reference", "[a][1]\n\n[1]: https://c.d", "<a https://c.d>a</a>"],
  ["notes that no link uses", "a\n\n[1]: https://c.d", "a\n\n[1]: https://c.d"],
  ["headings", "# a\n\n### b *c*", "<h1>a</h1>\n\n<h3>b <i>c</i></h3>"],
  ["quotes", "> a\n> b", "<quote>a\nb</quote>"],
  ["quotes in quotes", "> a\n>> b", "<quote>a\n<quote>b</quote></quote>"],
  ["bullets", "- a\n* b", "<item 0 ->a</item>\n<item 0 ->b</item>"],
  ["numbers, from where they begin", "3. a\n4. b", "<item 0 3>a</item>\n<item 0 4>b</item>"],
  [
    "lists in lists",
    "- a\n  - b\n    1. c\n- d",
    "<item 0 ->a\n<item 1 ->b\n<item 2 1>c</item></item></item>\n<item 0 ->d</item>",
  ],
  ["tasks", "- [x] a\n- [ ] b", "<item 0 - true>a</item>\n<item 0 - false>b</item>"],
  ["code blocks", "```ts\nlet a = *b;\n```", "<pre ts>let a = *b;</pre>"],
  ["code blocks without a language", "```\na\n```", "<pre >a</pre>"],
  ["code that begins on the fence's line", "```let a = 1;\na\n```", "<pre >let a = 1;\na</pre>"],
  ["code blocks that never end", "```ts\na", "<pre ts>a</pre>"],
  ["rules", "a\n\n---\n\nb", "a\n\n<rule>\n\nb"],
  ["line breaks as they are", "a\nb  \nc\\\nd", "a\nb\nc\nd"],
  ["one empty line for many", "a\n\n\n\nb", "a\n\nb"],
  ["blocks on lines of their own", "# a\nb\n- c", "<h1>a</h1>\nb\n<item 0 ->c</item>"],
  ["HTML as text", "<b>a</b> &amp;", "&lt;b>a&lt;/b> &amp;"],
  ["mentions as text", "<@123> <#4> <!here>", "&lt;@123> &lt;#4> &lt;!here>"],
  [
    "tables, in columns",
    "| a | bc |\n|---|---|\n| **def** | g |\n| [h](i) | |",
    "<pre >a      | bc\n-------|---\ndef    | g\n[h](i) |</pre>",
  ],
  ["tables with more cells than columns, as they are", "a|\n|---|\nb|c", "<pre >a|\n|---|\nb|c</pre>"],
];

describe("renderMarkdown()", () => {
  for (const [title, markdown, rendered] of rows)
    it(`renders ${title}`, () => assert.equal(renderMarkdown(markdown, named), rendered));

  it("renders brackets nested thousands deep as text instead of running out of stack", () => {
    for (const text of [`${">".repeat(8000)} a`, `${"- ".repeat(4000)}a`, "[".repeat(8000), "**a ".repeat(4000)])
      assert.match(renderMarkdown(text, named), /\S/u);
  });

  it("renders no text that takes the parser too long", () => {
    const text = `**a** ${"_a".repeat(500_000)}`;
    assert.equal(renderMarkdown(text, named), text);
  });

  it("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), markdownText()), (text) => {
        assert.equal(typeof renderMarkdown(text, named), "string");
      }),
      { numRuns: 1000 },
    );
  });

  it("loses no word", () => {
    fc.assert(
      fc.property(markdownText(), (text) => {
        const rendered = renderMarkdown(text, named);
        for (const [word] of text.matchAll(/word\d+/gu))
          assert.match(rendered, new RegExp(`${word}(?!\\d)`, "u"), JSON.stringify({ text, rendered }));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Words, each but once, with marks of all kinds between them in any order. */
function markdownText(): fc.Arbitrary<string> {
  const marks = [
    "*",
    "**",
    "_",
    "~~",
    "||",
    "` ",
    "\n```\n",
    "\n> ",
    "\n# ",
    "\n- ",
    "\n  - ",
    "\n1. ",
    "\n- [x] ",
  ].concat([
    "\n",
    "\n\n",
    " ",
    "  \n",
    "|",
    "\n|---|---|\n",
    "[",
    "](",
    ")",
    "]: ",
    "[1]",
    "<",
    ">",
    "</",
    "![",
    "\\",
    "&",
    "-",
  ]);
  return fc
    .array(fc.oneof(fc.constant("word"), fc.constantFrom(...marks)), { maxLength: 40, size: "max" })
    .map((pieces) => pieces.map((piece, index) => (piece === "word" ? `word${index}` : piece)).join(""));
}
