import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseResponse, responseKinds, type ResponseInput } from "../../../src/contract/response.ts";
import { toPollMessage } from "../../../workers/webhook/translate.ts";

/** One of each kind; a new kind without a line here does not compile. */
const inputs: Readonly<Record<(typeof responseKinds)[number], ResponseInput>> = {
  text: "hi",
  thread_reply: { kind: "thread_reply", threadName: "T", text: "in a thread" },
  file: { kind: "file", filename: "a.txt", mimeType: "text/plain", data: "aGk=", caption: "look" },
  reaction: { kind: "reaction", emoji: "👍" },
  remove_reaction: { kind: "remove_reaction", emoji: "👍" },
  ephemeral: { kind: "ephemeral", text: "for you", userId: "u" },
  rich_message: {
    kind: "rich_message",
    text: "rich",
    cards: [{ title: "Card", description: "of many", fields: [{ name: "a", value: "b" }], footer: "foot" }],
    interactiveElements: [
      { kind: "buttons", buttons: [{ label: "Yes" }, { label: "More", url: "https://example.com" }] },
      { kind: "select", customId: "s", options: [{ label: "One", value: "1" }] },
    ],
    poll: { question: "Which?", answers: ["this", "that"] },
  },
  scheduled_message: { kind: "scheduled_message", text: "later", postAt: 1 },
  stream_start: { kind: "stream_start" },
  stream_chunk: { kind: "stream_chunk", text: "so f" },
  stream_end: { kind: "stream_end", text: "so far" },
};

describe("toPollMessage()", () => {
  const expected: Readonly<Record<(typeof responseKinds)[number], unknown>> = {
    text: { cursor: 4, type: "text", content: "hi" },
    thread_reply: { cursor: 4, type: "text", content: "in a thread" },
    file: {
      cursor: 4,
      type: "file",
      content: "look",
      filename: "a.txt",
      mime_type: "text/plain",
      data: "aGk=",
      caption: "look",
    },
    reaction: null,
    remove_reaction: null,
    ephemeral: { cursor: 4, type: "text", content: "for you" },
    rich_message: {
      cursor: 4,
      type: "text",
      content: "rich\n\nCard\n\nof many\n\na: b\n\nfoot\n\nYes\nMore: https://example.com\n\nOne\n\nWhich?\nthis\nthat",
    },
    scheduled_message: { cursor: 4, type: "text", content: "later" },
    stream_start: { cursor: 4, type: "stream_start", content: "" },
    stream_chunk: { cursor: 4, type: "stream_chunk", content: "so f" },
    stream_end: { cursor: 4, type: "stream_end", content: "so far" },
  };
  for (const kind of responseKinds)
    it(`gives ${kind} its form`, () => {
      assert.deepEqual(toPollMessage({ cursor: 4, response: parseResponse(inputs[kind]) }), expected[kind]);
    });

  it("leaves out a caption that there is not", () => {
    const response = parseResponse({ kind: "file", filename: "a", data: "" });
    assert.deepEqual(toPollMessage({ cursor: 1, response }), {
      cursor: 1,
      type: "file",
      content: "",
      filename: "a",
      mime_type: "application/octet-stream",
      data: "",
    });
  });
});
