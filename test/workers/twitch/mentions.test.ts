import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mentions } from "../../../workers/twitch/mentions.ts";

const bot = { login: "shipbot", displayName: "船ボット" };

describe("mentions()", () => {
  for (const text of [
    "@shipbot hello",
    "hello @ShipBot",
    "hello (@shipbot)!",
    "@shipbot2 and @shipbot",
    "@shipbot's turn",
    "@shipbot: up",
    "@船ボット こんにちは",
  ])
    it(`finds the bot in ${JSON.stringify(text)}`, () => {
      assert.ok(mentions(text, bot));
    });
  for (const text of [
    "",
    "shipbot hello",
    "@shipbot2 hello",
    "@shipbot_ hello",
    "@shipbotź",
    "mail@shipbot",
    "@ship bot",
    "@@ship",
    "@船ボットさん",
  ])
    it(`does not find the bot in ${JSON.stringify(text)}`, () => {
      assert.ok(!mentions(text, bot));
    });

  it("takes no name for none", () => {
    assert.ok(!mentions("@ hello", { login: "shipbot", displayName: "" }));
  });
});
