import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  escapeText,
  mentionedUsers,
  mentions,
  readableText,
  withoutLeadingMention,
} from "../../../workers/slack/message-text.ts";
import { splitMarkdown, toMrkdwn } from "../../../workers/slack/mrkdwn.ts";

const nameOf = (id: string): string | null => (id === "U1" ? "Ann" : null);

describe("readableText()", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["<@U1> and <@U2|bob> and <@U3>", "@Ann and @bob and @U3"],
    ["in <#C1|general>, <#C2>", "in #general, #C2"],
    ["<!here> <!subteam^S1|@team> <!date^1^{date}|yesterday>", "@here @team yesterday"],
    ["<https://x.y> <https://x.y|x.y> <https://x.y|a site>", "https://x.y https://x.y a site (https://x.y)"],
    ["<mailto:a@b.c|a@b.c>", "a@b.c"],
    ["1 &lt; 2 &amp;&amp; 3 &gt; 2, &amp;lt;", "1 < 2 && 3 > 2, &lt;"],
  ];
  for (const [text, wanted] of rows)
    it(`reads ${text}`, () => {
      assert.equal(readableText(text, nameOf), wanted);
    });

  it("undoes what escaping did, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => readableText(escapeText(text), nameOf) === text));
  });
});

describe("mentions", () => {
  it("are found, each user once", () => {
    assert.deepEqual(mentionedUsers("<@U1> <@U2|bob> <@U1> <#C1> @U4"), ["U1", "U2"]);
    assert.ok(mentions("hi <@U1|x>", "U1"));
    assert.ok(!mentions("hi <@U12>", "U1"));
  });

  it("at the start are taken off when they are the bot's", () => {
    assert.equal(withoutLeadingMention(" <@U1>: do it", "U1"), "do it");
    assert.equal(withoutLeadingMention("<@U2> do it", "U1"), "<@U2> do it");
    assert.equal(withoutLeadingMention("do it <@U1>", "U1"), "do it <@U1>");
  });
});

describe("toMrkdwn()", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["**b** *i* ~~s~~ `c<`", "*b* _i_ ~s~ `c&lt;`"],
    ["# Title\n\ntext", "*Title*\n\ntext"],
    ["[label](https://x.y/?a=1&b=2)", "<https://x.y/?a=1&amp;b=2|label>"],
    ["- one\n- two", "• one\n• two"],
    ["> said", "> said"],
    ["```ts\na < b\n```", "```\na &lt; b\n```"],
    ["a < b & c, <@U1>", "a &lt; b &amp; c, <@U1>"],
  ];
  for (const [markdown, wanted] of rows)
    it(`writes ${JSON.stringify(markdown)}`, () => {
      assert.equal(toMrkdwn(markdown), wanted);
    });
});

describe("splitMarkdown()", () => {
  it("gives parts that a Markdown block takes", () => {
    const parts = splitMarkdown("word ".repeat(10_000));
    assert.ok(parts.length > 3 && parts.every((part) => part.length <= 12_000));
  });
});
