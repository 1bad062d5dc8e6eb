import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseResponse, type Response } from "../../../src/contract/response.ts";
import { richHtml, richText } from "../../../workers/email/rich-mail.ts";

type Rich = Extract<Response, { readonly kind: "rich_message" }>;

function rich(fields: object): Rich {
  return parseResponse({ kind: "rich_message", text: "", ...fields }) as Rich;
}

describe("richHtml()", () => {
  it("shows every part of it", () => {
    const html = richHtml(
      rich({
        text: "first\nline\n\nsecond",
        cards: [
          {
            title: "Title",
            url: "https://x.example/t",
            description: "Words",
            color: 0x00ff00,
            fields: [{ name: "Name", value: "Value" }],
            footer: "Foot",
            image: { url: "https://x.example/i.png" },
            author: { name: "Author", url: "https://x.example/a" },
          },
        ],
        interactiveElements: [
          {
            kind: "buttons",
            buttons: [
              { label: "Go", url: "https://x.example/go" },
              { label: "Stay", customId: "stay" },
            ],
          },
          {
            kind: "select",
            customId: "c",
            placeholder: "Choose",
            options: [{ label: "One", value: "1", description: "the first" }],
          },
        ],
        poll: { question: "Which?", answers: ["This", "That"] },
      }),
    );
    for (const part of [
      "<p>first<br>line</p><p>second</p>",
      '<h3><a href="https://x.example/t">Title</a></h3>',
      "#00ff00",
      "<dt><b>Name</b></dt><dd>Value</dd>",
      "<small>Foot</small>",
      '<img src="https://x.example/i.png"',
      '<a href="https://x.example/a">Author</a>',
      '<li><a href="https://x.example/go">Go</a></li><li>Stay</li>',
      "<p>Choose</p><ul><li>One: the first</li></ul>",
      "<b>Which?</b></p><ol><li>This</li><li>That</li></ol>",
    ])
      assert.ok(html.includes(part), part);
  });

  it("links to nothing but pages and addresses", () => {
    const html = richHtml(
      rich({
        interactiveElements: [{ kind: "buttons", buttons: [{ label: "x", url: "javascript:alert(1)" }] }],
        cards: [{ title: "t", url: "data:text/html,x", fields: [], thumbnail: { url: "file:///etc/passwd" } }],
      }),
    );
    assert.doesNotMatch(html, /javascript|data:|file:/u);
  });

  it("takes no text for markup", () => {
    const hostile = fc.constantFrom('<script>alert("x")</script>', '" onload="x', "</div><b>", "&amp;", "<img src=x>");
    fc.assert(
      fc.property(hostile, (text) => {
        const html = richHtml(
          rich({
            text,
            cards: [
              {
                title: text,
                description: text,
                url: `https://x.example/${text}`,
                fields: [{ name: text, value: text }],
                footer: text,
              },
            ],
            interactiveElements: [{ kind: "buttons", buttons: [{ label: text }] }],
            poll: { question: text, answers: [text] },
          }),
        );
        assert.doesNotMatch(html, /<script|<img|" onload=/u);
      }),
    );
  });
});

describe("richText()", () => {
  it("says the same in words", () => {
    const text = richText(
      rich({ text: "hello", cards: [{ title: "Title", fields: [] }], poll: { question: "Which?", answers: ["This"] } }),
    );
    assert.equal(text, "hello\n\nTitle\n\nWhich?\nThis");
  });
});
