import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { EmittedMessage, StoredMessage } from "../../src/contract/message.ts";
import { parseDataMeta } from "../../src/flow/data-frame.ts";
import { encodeMessage } from "../../workers/encode-message.ts";

const identity = { key: "acme:ops", platform: "acme" };

function emitted(overrides: Partial<EmittedMessage> = {}): EmittedMessage {
  return {
    id: "17",
    conversation: "room",
    sender: { id: "u1" },
    text: "hello",
    timestamp: "2026-01-01T00:00:00.000Z",
    ...overrides,
  };
}

function encode(message: EmittedMessage, from = identity) {
  const { header, payload } = encodeMessage(message, from, hash);
  return { header, payload, stored: JSON.parse(Buffer.from(payload).toString("utf8")) as StoredMessage };
}

describe("encodeMessage()", () => {
  it("gives the same platform event the same id, whatever its text", () => {
    assert.equal(encode(emitted()).header.id, encode(emitted({ text: "edited meanwhile" })).header.id);
  });

  const different: readonly (readonly [title: string, message: EmittedMessage])[] = [
    ["platform id", emitted({ id: "18" })],
    ["conversation", emitted({ conversation: "room2" })],
    ["kind", emitted({ kind: "edited" })],
    ["revision", emitted({ revision: "2" })],
    ["split of id and conversation", emitted({ id: "7", conversation: "room1" })],
  ];
  for (const [title, message] of different) {
    it(`gives events of different ${title} different ids`, () => {
      assert.notEqual(encode(message).header.id, encode(emitted()).header.id);
    });
  }

  it("gives the same event of two adapters different ids", () => {
    assert.notEqual(encode(emitted(), { key: "acme", platform: "acme" }).header.id, encode(emitted()).header.id);
  });

  it("fills in what the adapter left out", () => {
    const { stored } = encode(emitted({ attachments: [{ filename: "a.png" }] }));
    assert.deepEqual(stored, {
      id: stored.id,
      adapter: "acme:ops",
      platform: "acme",
      conversation: "room",
      lane: "acme:ops/room",
      sender: { id: "u1", name: "u1", isBot: false },
      kind: "text",
      text: "hello",
      attachments: [{ filename: "a.png", mimeType: "application/octet-stream", url: null, sizeBytes: null, ref: null }],
      metadata: { message_id: "17" },
      timestamp: "2026-01-01T00:00:00.000Z",
    });
  });

  it("keeps what a reply needs, and refuses what is too much of it", () => {
    assert.deepEqual(encode(emitted({ replyTo: { thread: "T" } })).stored.replyTo, { thread: "T" });
    const long = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]));
    for (const replyTo of [long, { thread: "x".repeat(257) }, { thread: 7 as unknown as string }])
      assert.throws(() => encode(emitted({ replyTo })), { code: "invalid_request" });
    assert.throws(() => encode(emitted({ attachments: [{ ref: "x".repeat(1025) }] })), { code: "invalid_request" });
  });

  it("makes headers that the coordinator accepts, for any text at all", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ minLength: 1, maxLength: 512, unit: "binary" }),
        (text, conversation) => {
          const { header, payload } = encode(emitted({ text, conversation }));
          assert.doesNotThrow(() =>
            parseDataMeta(JSON.parse(JSON.stringify({ frame: 1, headers: [header] })), payload.length),
          );
        },
      ),
    );
  });

  const malformed: readonly (readonly [field: RegExp, message: unknown])[] = [
    [/id is number/, emitted({ id: 5 as unknown as string })],
    [/id is 0 characters/, emitted({ id: "" })],
    [/conversation is 600 characters/, emitted({ conversation: "x".repeat(600) })],
    [/sender\.id is undefined/, emitted({ sender: {} as never })],
    [/text is undefined/, { id: "1", conversation: "c", sender: { id: "u" } }],
    [/kind is 5 characters/, emitted({ kind: "shout" as never })],
  ];
  for (const [field, message] of malformed) {
    it(`refuses a message whose ${field.source}, naming it`, () => {
      assert.throws(() => encode(message as EmittedMessage), { code: "invalid_request", message: field });
    });
  }

  it("refuses a message above 4 MiB", () => {
    assert.throws(() => encode(emitted({ text: "x".repeat(4_200_000) })), { code: "too_large" });
  });
});
