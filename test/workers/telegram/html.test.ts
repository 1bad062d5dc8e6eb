import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseMarkup } from "../../emulators/telegram/markup.ts";
import { renderTelegramHtml, renderTelegramPlain, visibleLength } from "../../../workers/telegram/html.ts";

describe("renderTelegramHtml()", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["bold and italic", "**bold** *italic*", "<b>bold</b> <i>italic</i>"],
    ["strike and spoiler", "~~gone~~ ||secret||", "<s>gone</s> <tg-spoiler>secret</tg-spoiler>"],
    ["code", "`a < b`", "<code>a &lt; b</code>"],
    ["a code block with its language", "```ts\na < b\n```", '<pre><code class="language-ts">a &lt; b</code></pre>'],
    ["a code block with an odd language", '```"x\na\n```', "<pre>a</pre>"],
    ["a heading", "# Title", "<b>Title</b>"],
    ["a quote in a quote", "> one\n> > two", "<blockquote>one\ntwo</blockquote>"],
    ["a list", "- one\n- two", "• one\n• two"],
    ["markup that is text", "<b>no</b> & so", "&lt;b&gt;no&lt;/b&gt; &amp; so"],
    [
      "quotes in a link's address",
      '[x](<https://a.example/"q"?a=1&b=2>)',
      '<a href="https://a.example/&quot;q&quot;?a=1&amp;b=2">x</a>',
    ],
    ["a link that Telegram would drop", "[x](javascript:alert)", "x (javascript:alert)"],
  ];
  for (const [what, markdown, html] of rows)
    it(`writes ${what}`, () => {
      assert.equal(renderTelegramHtml(markdown), html);
    });

  it("writes what Telegram can read, whatever it is given", () => {
    const piece = fc.constantFrom(
      ...'** * _ ~~ || ` ``` > - 1. # [ ] ( ) < > & " \' </b> <a href="> &amp; \n |a|b| |-|-| https://x.y ![ \\'.split(
        " ",
      ),
      "word",
      "\n",
      "\n\n",
      " ",
    );
    const markdown = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(markdown, (text) => {
        const html = renderTelegramHtml(text);
        const parsed = parseMarkup(html);
        assert.ok(parsed.ok, parsed.ok ? "" : `${parsed.description}: ${html}`);
        assert.equal(visibleLength(html.trim()), visibleLength(html.trim()));
        assert.ok(parsed.text.length <= visibleLength(html));
      }),
      { numRuns: 300 },
    );
  });
});

describe("renderTelegramPlain()", () => {
  it("takes the marks off, and keeps the source where nothing is left or it grows too long", () => {
    assert.equal(renderTelegramPlain("**bold** [x](https://a.example)", 100), "bold x (https://a.example)");
    assert.equal(renderTelegramPlain("[a]: https://a.example", 100), "[a]: https://a.example");
    assert.equal(renderTelegramPlain("> long", 4), "> long");
  });
});
