import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressFields, conversationOf, parseAddress } from "../../../workers/telegram/address.ts";

describe("parseAddress()", () => {
  const rows: readonly (readonly [string, object])[] = [
    ["1001", { chat_id: 1001 }],
    ["-1001234567890", { chat_id: -1_001_234_567_890 }],
    ["-1001234567890#topic:7", { chat_id: -1_001_234_567_890, message_thread_id: 7 }],
    ["-1001234567890#topic:1", { chat_id: -1_001_234_567_890 }],
    ["@news_channel", { chat_id: "@news_channel" }],
  ];
  for (const [conversation, fields] of rows)
    it(`reads ${conversation}`, () => {
      assert.deepEqual(addressFields(parseAddress(conversation)), fields);
    });

  for (const conversation of [
    "",
    "x",
    "12x",
    "-0",
    "1#topic:",
    "1#topic:x",
    "1#thread:2",
    "@a",
    "1e5",
    "12345678901234567890",
  ])
    it(`refuses ${JSON.stringify(conversation)}`, () => {
      assert.throws(() => parseAddress(conversation), { code: "invalid_request" });
    });
});

describe("conversationOf()", () => {
  it("names a topic, and not the general one", () => {
    assert.equal(conversationOf(-5, 7), "-5#topic:7");
    assert.equal(conversationOf(-5, 1), "-5");
    assert.equal(conversationOf(-5, null), "-5");
  });
});
