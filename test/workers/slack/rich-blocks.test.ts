import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseResponse, type Response } from "../../../src/contract/response.ts";
import { richBlocks } from "../../../workers/slack/rich-blocks.ts";
import { blocksFault } from "../../emulators/slack/block-rules.ts";

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;

function rich(fields: Readonly<Record<string, unknown>>): RichMessage {
  const response = parseResponse({ kind: "rich_message", text: "text", ...fields });
  assert.equal(response.kind, "rich_message");
  return response;
}

const long = "x".repeat(5_000);

describe("richBlocks()", () => {
  it("shows every part of a card within Slack's limits", () => {
    const card = {
      title: long,
      description: long,
      url: "https://x.y",
      fields: Array.from({ length: 23 }, (_, index) => ({ name: `n${index}`, value: long })),
      footer: { text: "footer", iconUrl: "https://x.y/i.png" },
      thumbnail: { url: "https://x.y/t.png" },
      image: { url: "https://x.y/p.png" },
      author: { name: "author", url: "https://x.y/a" },
      timestamp: "2026-01-02T03:04:05Z",
    };
    const blocks = richBlocks(rich({ cards: [card] }));
    assert.equal(blocksFault(blocks), null);
    assert.deepEqual(
      blocks.map(({ type }) => type),
      ["context", "section", "section", "section", "section", "image", "context"],
    );
    assert.match(JSON.stringify(blocks), /<!date\^1767323045\^/u);
  });

  it("cuts labels and makes buttons, selects and polls that Slack takes", () => {
    const blocks = richBlocks(
      rich({
        interactiveElements: [
          {
            kind: "buttons",
            buttons: [
              { label: long, customId: "one", style: "success" },
              { label: "link", url: "https://x.y", style: "link" },
              { label: "no", style: "danger" },
            ],
          },
          { kind: "select", customId: "s", placeholder: long, options: [{ label: long, value: "1", emoji: "👍" }] },
        ],
        poll: { question: "q", answers: ["a", "b"], allowMultiselect: true },
      }),
    );
    assert.equal(blocksFault(blocks), null);
    assert.match(JSON.stringify(blocks), /"style":"primary"/u);
    assert.match(JSON.stringify(blocks), /"type":"checkboxes","action_id":"poll"/u);
  });

  it("passes on Slack's own blocks and drops what is none", () => {
    const own = { type: "divider" };
    assert.deepEqual(richBlocks(rich({ blocks: [own, null, "text", { no: "type" }] })), [own]);
  });

  const wrong: readonly (readonly [RegExp, Readonly<Record<string, unknown>>])[] = [
    [/buttons\[0\]\.url/u, { interactiveElements: [{ kind: "buttons", buttons: [{ label: "x", style: "link" }] }] }],
    [/buttons\[0\]\.label/u, { interactiveElements: [{ kind: "buttons", buttons: [{ label: " " }] }] }],
    [/interactiveElements\[0\]\.buttons is 0/u, { interactiveElements: [{ kind: "buttons", buttons: [] }] }],
    [
      /customId is 0 characters/u,
      { interactiveElements: [{ kind: "select", customId: "", options: [{ label: "x", value: "1" }] }] },
    ],
    [
      /options is 101/u,
      {
        interactiveElements: [
          { kind: "select", customId: "s", options: Array.from({ length: 101 }, () => ({ label: "x", value: "1" })) },
        ],
      },
    ],
    [/poll\.answers is 11/u, { poll: { question: "q", answers: Array(11).fill("a") } }],
    [/blocks is 60 blocks/u, { blocks: Array.from({ length: 60 }, () => ({ type: "divider" })) }],
  ];
  for (const [message, fields] of wrong)
    it(`names what is wrong: ${message.source}`, () => {
      assert.throws(() => richBlocks(rich(fields)), { code: "invalid_request", message });
    });
});
