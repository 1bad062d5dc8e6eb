import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GatewayError } from "../../../src/contract/errors.ts";
import { parseSend, parseTarget } from "../../../workers/webhook/requests.ts";

function send(fields: unknown): ReturnType<typeof parseSend> {
  return parseSend(Buffer.from(JSON.stringify(fields)));
}

describe("parseSend()", () => {
  it("makes a message of every field", () => {
    const message = send({
      conversation_id: "room-1",
      content: "hello",
      sender_id: "u1",
      sender_name: "Ann",
      message_id: "171",
      consumer: "support",
      attachments: [{ filename: "a.png", mime_type: "image/png", url: "https://example.com/a.png", size_bytes: 12 }],
    });
    assert.deepEqual(message, {
      id: "171",
      conversation: "room-1",
      sender: { id: "u1", name: "Ann" },
      text: "hello",
      kind: "media",
      attachments: [{ filename: "a.png", mimeType: "image/png", url: "https://example.com/a.png", sizeBytes: 12 }],
      routing: { consumer: "support" },
    });
  });

  it("needs no more than a conversation and a content", () => {
    const { id, ...rest } = send({ conversation_id: "c", content: "x" });
    assert.match(id, /^[0-9a-f-]{36}$/u);
    assert.deepEqual(rest, { conversation: "c", sender: { id: "webhook" }, text: "x", kind: "text" });
  });

  it("gives messages without an id different ones", () => {
    assert.notEqual(send({ conversation_id: "c", content: "x" }).id, send({ conversation_id: "c", content: "x" }).id);
  });

  it("understands agent_id as the consumer", () => {
    assert.deepEqual(send({ conversation_id: "c", content: "x", agent_id: "a" }).routing, { consumer: "a" });
  });

  it("takes attachments without a content", () => {
    const message = send({ conversation_id: "c", attachments: [{}] });
    assert.equal(message.text, "");
    assert.deepEqual(message.attachments, [
      { filename: "file", mimeType: "application/octet-stream", url: null, sizeBytes: null },
    ]);
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["a list", [], /found \[\], wanted an object/u],
    ["a number", 3, /found 3, wanted an object/u],
    ["no conversation", { content: "x" }, /conversation_id is missing/u],
    ["an empty conversation", { conversation_id: "", content: "x" }, /conversation_id is empty/u],
    ["a number as conversation", { conversation_id: 7, content: "x" }, /conversation_id is 7, wanted a string/u],
    ["a long conversation", { conversation_id: "x".repeat(513), content: "x" }, /1 to 512 characters/u],
    ["a control character", { conversation_id: "a\nb", content: "x" }, /without control characters/u],
    ["half a character", { conversation_id: "a\ud800", content: "x" }, /without control characters/u],
    ["no content", { conversation_id: "c" }, /content is missing/u],
    ["an empty content", { conversation_id: "c", content: "" }, /content is empty, wanted text or attachments/u],
    ["an object as content", { conversation_id: "c", content: {} }, /content is \{\}, wanted a string/u],
    ["an empty message_id", { conversation_id: "c", content: "x", message_id: "" }, /message_id is empty/u],
    [
      "a number as message_id",
      { conversation_id: "c", content: "x", message_id: 1 },
      /message_id is 1, wanted a string/u,
    ],
    ["attachments that are no list", { conversation_id: "c", content: "x", attachments: {} }, /wanted a list/u],
    ["an attachment that is none", { conversation_id: "c", content: "x", attachments: [1] }, /attachments\[0\] is 1/u],
    ["a file as attachment", { conversation_id: "c", attachments: [{ url: "file:///etc/passwd" }] }, /http or https/u],
    ["a negative size", { conversation_id: "c", attachments: [{ size_bytes: -1 }] }, /size_bytes is -1/u],
    ["101 attachments", { conversation_id: "c", attachments: Array.from({ length: 101 }, () => ({})) }, /at most 100/u],
  ];
  for (const [title, body, message] of wrong)
    it(`refuses ${title}`, () => assert.throws(() => send(body), { code: "invalid_request", message }));

  it("refuses bytes that are no UTF-8 and text that is no JSON", () => {
    assert.throws(() => parseSend(Buffer.from([0x22, 0xff, 0x22])), /not UTF-8/u);
    assert.throws(() => parseSend(Buffer.from('{"a":')), /not JSON/u);
    assert.throws(() => parseSend(Buffer.alloc(0)), /not JSON/u);
  });

  it("throws nothing but invalid_request, whatever comes", () => {
    const fields = fc.record(
      {
        conversation_id: fc.anything(),
        content: fc.anything(),
        message_id: fc.anything(),
        sender_id: fc.anything(),
        attachments: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fields, fc.jsonValue()), (value) => {
        try {
          send(value);
        } catch (error) {
          if (error instanceof GatewayError) assert.equal(error.code, "invalid_request");
          else assert.ok(error instanceof TypeError, "only JSON.stringify and Buffer.from may fail here");
        }
      }),
    );
  });
});

describe("parseTarget()", () => {
  it("knows the endpoints", () => {
    assert.deepEqual(parseTarget("/send"), { kind: "send" });
    assert.deepEqual(parseTarget("/send?x=1"), { kind: "send" });
    assert.deepEqual(parseTarget("/health"), { kind: "health" });
    for (const url of ["/", "/poll", "/send/", "/Send", "*", "", "http://x/send"])
      assert.deepEqual(parseTarget(url), { kind: "unknown" }, url);
  });

  it("reads a poll's conversation, wait and cursor", () => {
    assert.deepEqual(parseTarget("/poll/room"), { kind: "poll", conversation: "room", after: null, waitMs: 0 });
    assert.deepEqual(parseTarget("/poll/a%2Fb%20%C3%A9?wait=0.5&after=12"), {
      kind: "poll",
      conversation: "a/b é",
      after: 12,
      waitMs: 500,
    });
    assert.deepEqual(parseTarget("/poll/room?after=0&wait=60"), {
      kind: "poll",
      conversation: "room",
      after: 0,
      waitMs: 60_000,
    });
  });

  for (const url of [
    "/poll/",
    "/poll/%",
    "/poll/%ff",
    "/poll/a%00",
    "/poll/a?wait=61",
    "/poll/a?wait=-1",
    "/poll/a?wait=",
    "/poll/a?wait=1e1",
    "/poll/a?after=x",
    "/poll/a?after=1.5",
    "/poll/a?after=99999999999999999",
  ])
    it(`refuses ${url}`, () => assert.throws(() => parseTarget(url), { code: "invalid_request" }));

  it("gives back any conversation that can be one", () => {
    const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(id, (conversation) => {
        const target = parseTarget(`/poll/${encodeURIComponent(conversation)}`);
        assert.equal(target.kind === "poll" && target.conversation, conversation);
      }),
    );
  });
});
