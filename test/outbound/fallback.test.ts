import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { parseResponse, responseKinds, type Response, type ResponseInput } from "../../src/contract/response.ts";
import { adaptResponse, isSupported } from "../../src/outbound/fallback.ts";

const textOnly = { text: "native" } as const;

function adapted(input: ResponseInput): Response | null {
  return adaptResponse(parseResponse(input), textOnly);
}

describe("adaptResponse()", () => {
  it("leaves a native response as it is", () => {
    const file = parseResponse({ kind: "file", filename: "a.txt", data: "YQ==" });
    assert.equal(adaptResponse(file, { file: "native" }), file);
  });

  const texts: readonly (readonly [title: string, input: ResponseInput, text: string])[] = [
    ["a thread reply", { kind: "thread_reply", threadName: "n", text: "hi" }, "hi"],
    ["an ephemeral answer", { kind: "ephemeral", userId: "u", text: "hi" }, "hi"],
    ["a scheduled message", { kind: "scheduled_message", postAt: 1, text: "hi" }, "hi"],
    ["the end of a stream", { kind: "stream_end", text: "all of it" }, "all of it"],
    ["a file", { kind: "file", filename: "a.txt", data: "YQ==", caption: "look" }, "[file: a.txt]\n\nlook"],
    ["a poll", { kind: "rich_message", text: "", poll: { question: "Q?", answers: ["a", "b"] } }, "Q?\n1. a\n2. b"],
    [
      "buttons and a menu",
      {
        kind: "rich_message",
        text: "choose",
        interactiveElements: [
          { kind: "buttons", buttons: [{ label: "Yes" }, { label: "Docs", url: "https://x.test" }] },
          {
            kind: "select",
            customId: "c",
            placeholder: "Pick",
            options: [{ label: "A", value: "a", description: "first" }],
          },
        ],
      },
      "choose\n\n- Yes\n- Docs: https://x.test\n\nPick\n- A: first",
    ],
    [
      "a card, with a footer that is a string and a time that is none",
      {
        kind: "rich_message",
        text: "intro",
        cards: [
          {
            title: "T",
            description: "D",
            fields: [{ name: "n", value: "v" }],
            footer: "F",
            author: { name: "A" },
            timestamp: "soon",
          },
        ],
      },
      "intro\n\nT\n\nD\n\nn\nv\n\nF\n\nA",
    ],
  ];
  for (const [title, input, text] of texts)
    it(`says ${title} as text`, () => assert.deepEqual(adapted(input), { kind: "text", text }));

  it("sends nothing for a stream's start and chunks where its end comes as one text", () => {
    assert.equal(adapted({ kind: "stream_start" }), null);
    assert.equal(adapted({ kind: "stream_chunk", text: "half" }), null);
    assert.equal(adapted({ kind: "stream_end" }), null);
  });

  it("refuses a reaction as text instead of dropping it", () => {
    assert.throws(() => adapted({ kind: "reaction", emoji: "👍" }), { code: "unsupported_response" });
  });

  it("refuses a message that has nothing to say as text", () => {
    assert.throws(() => adapted({ kind: "rich_message", text: "", blocks: [{}] }), { code: "unsupported_response" });
  });

  it("refuses what the adapter says it cannot show", () => {
    assert.throws(() => adaptResponse(parseResponse("x"), { text: "none" }), { code: "unsupported_response" });
  });

  it("has an answer for every kind on every built-in platform", () => {
    const withReactions = ["discord", "slack", "telegram"];
    for (const platform of ["webhook", "webchat", "twitch", ...withReactions])
      for (const kind of responseKinds) {
        const isReaction = kind === "reaction" || kind === "remove_reaction";
        assert.equal(isSupported(kind, capabilitiesOf(platform)), !isReaction || withReactions.includes(platform));
      }
  });
});
