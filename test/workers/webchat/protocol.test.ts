import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { parseResponse } from "../../../src/contract/response.ts";
import { parseClientFrame, toPageResponse } from "../../../workers/webchat/protocol.ts";

const conversation = "3f0c9d1e-6a52-4d8e-9a55-0e9b6f5f7a01";

function parse(frame: unknown): ReturnType<typeof parseClientFrame> {
  return parseClientFrame(JSON.stringify(frame));
}

describe("parseClientFrame()", () => {
  it("knows every frame of the page", () => {
    assert.deepEqual(parse({ type: "hello", conversation, after: 3, token: "t" }), {
      type: "hello",
      conversation,
      after: 3,
      token: "t",
    });
    assert.deepEqual(parse({ type: "hello", conversation, after: 0 }), {
      type: "hello",
      conversation,
      after: 0,
      token: "",
    });
    assert.deepEqual(parse({ type: "message", clientId: "a-1", text: "x", more: 1 }), {
      type: "message",
      clientId: "a-1",
      text: "x",
    });
    assert.deepEqual(parse({ type: "ack", cursor: 9 }), { type: "ack", cursor: 9 });
    assert.deepEqual(parse({ type: "ping" }), { type: "ping" });
  });

  const wrong: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["a list", []],
    ["no type", {}],
    ["another type", { type: "entry", cursor: 1 }],
    ["a conversation that can be guessed", { type: "hello", conversation: "room", after: 0 }],
    ["a conversation with other characters", { type: "hello", conversation: `${conversation}/..`, after: 0 }],
    ["a hello without a cursor", { type: "hello", conversation }],
    ["a negative cursor", { type: "hello", conversation, after: -1 }],
    ["a cursor between two", { type: "ack", cursor: 1.5 }],
    ["a cursor out of range", { type: "ack", cursor: 1e300 }],
    ["a token that is no text", { type: "hello", conversation, after: 0, token: {} }],
    ["a message without an id", { type: "message", text: "x" }],
    ["a message with a long id", { type: "message", clientId: "x".repeat(65), text: "x" }],
    ["a message without a text", { type: "message", clientId: "x", text: 1 }],
  ];
  for (const [title, frame] of wrong) it(`refuses ${title}`, () => assert.equal(parse(frame), null));

  it("refuses what is no JSON", () => assert.equal(parseClientFrame("{"), null));

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
        parseClientFrame(json);
      }),
    );
  });
});

describe("toPageResponse()", () => {
  it("keeps what the page can show", () => {
    const file = { kind: "file", filename: "a", mimeType: "text/plain", data: "aGk=" } as const;
    assert.deepEqual(toPageResponse(parseResponse(file)), { ...file, caption: "" });
    assert.deepEqual(toPageResponse({ kind: "stream_start" }), { kind: "stream_start" });
    assert.deepEqual(toPageResponse({ kind: "stream_end", text: "x" }), { kind: "stream_end", text: "x" });
  });

  it("gives everything else as text, and an empty one for what no text stands for", () => {
    assert.deepEqual(toPageResponse({ kind: "ephemeral", text: "x", userId: "u" }), { kind: "text", text: "x" });
    assert.deepEqual(toPageResponse({ kind: "reaction", emoji: "👍" }), { kind: "text", text: "" });
  });
});
