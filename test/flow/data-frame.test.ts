import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GatewayError } from "../../src/contract/errors.ts";
import { parseDataMeta } from "../../src/flow/data-frame.ts";
import { messageId } from "../support/flow-fixture.ts";

const header = { id: messageId(1), conversation: "room", kind: "text", senderId: "u1", bytes: 3, routing: {} };

describe("parseDataMeta()", () => {
  it("takes a frame with headers, routing and resume state", () => {
    const flags = { isDirect: false, mentionsBot: true };
    const routing = { guildId: "g", channelIds: ["c", "p"], senderLogin: "ann", ...flags, consumer: "main" };
    const meta = {
      frame: 7,
      headers: [
        { ...header, routing },
        { ...header, id: messageId(2), bytes: 0 },
      ],
      resume: { at: 1 },
    };
    assert.deepEqual(parseDataMeta(meta, 3), meta);
  });

  it("takes a frame with resume state and no messages", () => {
    assert.deepEqual(parseDataMeta({ frame: 1, headers: [], resume: null }, 0), {
      frame: 1,
      headers: [],
      resume: null,
    });
  });

  it("keeps nothing it does not know, so that nothing unknown is stored", () => {
    const meta = {
      frame: 1,
      headers: [{ ...header, extra: "x".repeat(9999), routing: { chatId: "c", extra: {} } }],
      more: 1,
    };
    assert.deepEqual(parseDataMeta(meta, 3), { frame: 1, headers: [{ ...header, routing: { chatId: "c" } }] });
  });

  const long = "x".repeat(513);
  const refused: readonly (readonly [title: string, meta: unknown, bodyBytes?: number])[] = [
    ["no object", null],
    ["a list", []],
    ["no frame number", { headers: [] }, 0],
    ["a negative frame number", { frame: -1, headers: [] }, 0],
    ["headers that are no list", { frame: 1, headers: {} }],
    ["257 messages", { frame: 1, headers: Array.from({ length: 257 }, () => ({ ...header, bytes: 0 })) }, 0],
    ["a header that is no object", { frame: 1, headers: [null] }],
    ["payloads shorter than the body", { frame: 1, headers: [header] }, 4],
    ["payloads longer than the body", { frame: 1, headers: [header] }, 2],
    [
      "a negative length",
      {
        frame: 1,
        headers: [
          { ...header, bytes: -3 },
          { ...header, bytes: 6 },
        ],
      },
    ],
    [
      "half a byte",
      {
        frame: 1,
        headers: [
          { ...header, bytes: 1.5 },
          { ...header, bytes: 1.5 },
        ],
      },
    ],
    ["an id of another form", { frame: 1, headers: [{ ...header, id: "171" }] }],
    ["an id that is too long", { frame: 1, headers: [{ ...header, id: `${messageId(1)}x` }] }],
    ["an id with a line break after it", { frame: 1, headers: [{ ...header, id: `${messageId(1)}\n` }] }],
    ["an empty conversation", { frame: 1, headers: [{ ...header, conversation: "" }] }],
    ["a conversation of 513 characters", { frame: 1, headers: [{ ...header, conversation: long }] }],
    ["a conversation that is a number", { frame: 1, headers: [{ ...header, conversation: 5 }] }],
    ["an unknown kind", { frame: 1, headers: [{ ...header, kind: "telegram" }] }],
    ["a kind that objects inherit", { frame: 1, headers: [{ ...header, kind: "constructor" }] }],
    ["a sender of 513 characters", { frame: 1, headers: [{ ...header, senderId: long }] }],
    ["routing that is a list", { frame: 1, headers: [{ ...header, routing: [] }] }],
    ["a routing id that is a number", { frame: 1, headers: [{ ...header, routing: { guildId: 5 } }] }],
    ["a routing id of 513 characters", { frame: 1, headers: [{ ...header, routing: { consumer: long } }] }],
    ["a flag that is a text", { frame: 1, headers: [{ ...header, routing: { isDirect: "yes" } }] }],
    ["17 channels", { frame: 1, headers: [{ ...header, routing: { channelIds: Array(17).fill("c") } }] }],
    ["a channel that is a number", { frame: 1, headers: [{ ...header, routing: { channelIds: [5] } }] }],
  ];
  for (const [title, meta, bodyBytes = 3] of refused)
    it(`refuses ${title}`, () => {
      assert.throws(() => parseDataMeta(meta, bodyBytes), { name: "GatewayError", code: "invalid_request" });
    });

  it("says nothing but invalid_request, whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), fc.nat(), (value, bodyBytes) => {
        for (const meta of [
          value,
          { frame: 1, headers: [value] },
          { frame: 1, headers: [{ ...header, routing: value }] },
        ])
          try {
            parseDataMeta(meta, bodyBytes);
          } catch (reason) {
            assert.ok(reason instanceof GatewayError && reason.code === "invalid_request");
            assert.ok(reason.message.length < 300);
          }
      }),
    );
  });
});
