import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandOf, isForBot } from "../../../workers/telegram/mentions.ts";
import { bot, heard, message, update } from "./telegram-messages.ts";

const ownMessage = message({ message_id: 2, from: { id: bot.id, is_bot: true, first_name: "Bulk" } });

function mention(text: string, name: string, type = "mention"): object {
  return { text, entities: [{ type, offset: text.indexOf(name), length: name.length }] };
}

describe("isForBot()", () => {
  const rows: readonly (readonly [string, boolean, object])[] = [
    ["its name, in any case", true, mention("hey @bulk_BOT!", "@bulk_BOT")],
    ["its name after emoji, which count twice", true, mention("😀😀 @Bulk_Bot", "@Bulk_Bot")],
    ["a longer name that begins with its own", false, mention("hey @Bulk_Bot_2", "@Bulk_Bot_2")],
    ["its name without Telegram's mark, as in an address", false, { text: "mail me at x@Bulk_Bot" }],
    [
      "a link to its account",
      true,
      { text: "you", entities: [{ type: "text_mention", offset: 0, length: 3, user: { id: bot.id } }] },
    ],
    [
      "a link to another account",
      false,
      { text: "you", entities: [{ type: "text_mention", offset: 0, length: 3, user: { id: 1 } }] },
    ],
    [
      "its name in a caption",
      true,
      { text: undefined, caption: "@Bulk_Bot", caption_entities: [{ type: "mention", offset: 0, length: 9 }] },
    ],
    ["a command with its name", true, mention("/x@Bulk_Bot", "/x@Bulk_Bot", "bot_command")],
    ["a command of another bot", false, mention("/x@Other_Bot", "/x@Other_Bot", "bot_command")],
    ["a reply to it", true, { reply_to_message: ownMessage }],
    ["a reply to somebody else", false, { reply_to_message: message() }],
    [
      "a message in a topic that it opened",
      false,
      { reply_to_message: { ...ownMessage, forum_topic_created: { name: "x" } } },
    ],
  ];
  for (const [what, expected, fields] of rows)
    it(`${expected ? "takes" : "does not take"} ${what} for a mention`, () => {
      assert.equal(isForBot(message({ ...fields }), bot), expected);
    });
});

describe("commandOf()", () => {
  const declared = new Map([["show_all", "show-all"]]);
  const rows: readonly (readonly [string, object | null])[] = [
    ["/show_all", { name: "show-all", args: "" }],
    ["/show_all one  two ", { name: "show-all", args: "one  two" }],
    ["/Show_All@bulk_bot now", { name: "show-all", args: "now" }],
    ["/show_all@other_bot now", null],
    ["/start", null],
  ];
  for (const [text, expected] of rows)
    it(`reads ${JSON.stringify(text)}`, () => {
      const length = text.search(/\s|$/u);
      const given = message({ text, entities: [{ type: "bot_command", offset: 0, length }] });
      assert.deepEqual(commandOf(given, bot, declared), expected);
    });

  it("finds no command in the middle of a text", () => {
    const given = message({ text: "see /show_all", entities: [{ type: "bot_command", offset: 4, length: 9 }] });
    assert.equal(commandOf(given, bot, declared), null);
  });

  it("makes a declared command a message of that kind, under its declared name", () => {
    const given = message({ text: "/show_all now", entities: [{ type: "bot_command", offset: 0, length: 9 }] });
    const { message: emitted } = heard(update("message", given), { commands: declared });
    assert.equal(emitted.kind, "command");
    assert.equal(emitted.text, "/show-all now");
    assert.equal(emitted.metadata?.["command_name"], "show-all");
    assert.equal(emitted.metadata?.["command_args"], "now");
  });
});
