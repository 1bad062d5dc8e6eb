import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nonsenseUpdates } from "../../emulators/telegram/nonsense.ts";
import { TopicMemory } from "../../../workers/telegram/topic-memory.ts";
import { translateUpdate } from "../../../workers/telegram/translate-update.ts";
import { ann, bot, direct, group, heard, message, translated, update } from "./telegram-messages.ts";

describe("translateUpdate()", () => {
  it("says of a message who, where and what, with every id a string", () => {
    const { message: emitted, place } = heard(update("message", message()));
    assert.equal(emitted.id, "9");
    assert.equal(emitted.conversation, "-1005");
    assert.deepEqual(emitted.sender, { id: "5", name: "Ann Lee", isBot: false });
    assert.equal(emitted.kind, "text");
    assert.equal(emitted.timestamp, "2023-11-14T22:13:20.000Z");
    assert.deepEqual(emitted.routing, { chatId: "-1005", isDirect: false, mentionsBot: false });
    assert.deepEqual(emitted.replyTo, { chat_id: "-1005", message_id: "9" });
    assert.deepEqual(
      Object.values(emitted.metadata ?? {}).filter((value) => typeof value === "number"),
      [],
    );
    assert.deepEqual(place.scope, { kind: "chatId", id: "-1005" });
    assert.equal(emitted.metadata?.["telegram_user_mention"], "@ann");
    assert.equal(emitted.metadata?.["server_name"], "Group");
  });

  it("gives the same message of another bot another identity", () => {
    const first = heard(update("message", message()));
    const topics = new TopicMemory();
    const other = translateUpdate(update("message", message()), {
      bot: { ...bot, id: 78 },
      commands: new Map(),
      topics,
    });
    assert.ok(other.kind === "heard");
    assert.notEqual(first.message.revision, other.items[0]?.message.revision);
  });

  it("hears a topic as a conversation of its own, and a chain of replies not", () => {
    const inTopic = message({ message_thread_id: 7, is_topic_message: true });
    assert.equal(heard(update("message", inTopic)).message.conversation, "-1005#topic:7");
    assert.equal(heard(update("message", message({ message_thread_id: 7 }))).message.conversation, "-1005");
  });

  it("tells two edits in one second apart, and the same edit given again not", () => {
    const edit = message({ edit_date: 1_700_000_100, text: "changed" });
    const first = heard(update("edited_message", edit, 41)).message;
    assert.equal(first.kind, "edited");
    assert.equal(first.text, "changed");
    assert.notEqual(first.revision, heard(update("edited_message", edit, 42)).message.revision);
    assert.equal(first.revision, heard(update("edited_message", edit, 41)).message.revision);
  });

  it("hears a channel's post as the channel's own", () => {
    const channel = { id: -100_9, type: "channel", title: "News" };
    const post = message({ chat: channel, from: undefined, sender_chat: channel });
    assert.deepEqual(heard(update("channel_post", post)).message.sender, { id: "-1009", name: "News", isBot: false });
    assert.equal(heard(update("edited_channel_post", { ...post, edit_date: 1 })).message.kind, "edited");
  });

  it("hears an anonymous administrator, whose stand-in is a bot", () => {
    const standIn = { id: 1_087_968_824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };
    const { place, message: emitted } = heard(update("message", message({ from: standIn, sender_chat: group })));
    assert.equal(place.isBot, false);
    assert.equal(emitted.sender.id, "-1005");
  });

  it("knows its own messages", () => {
    const own = message({ from: { id: 77, is_bot: true, first_name: "Bulk" } });
    assert.equal(heard(update("message", own)).place.isSelf, true);
  });

  it("says of a button which it was, and what stood on it", () => {
    const keyboard = { inline_keyboard: [[{ text: "Yes", callback_data: "vote\u001Fyes" }]] };
    const query = { id: "q1", from: ann, data: "vote\u001Fyes", message: message({ reply_markup: keyboard }) };
    const result = translated(update("callback_query", query));
    assert.ok(result.kind === "heard");
    assert.equal(result.queryId, "q1");
    const emitted = result.items[0]?.message;
    assert.equal(emitted?.kind, "interaction");
    assert.equal(emitted?.metadata?.["action_id"], "vote");
    assert.deepEqual(emitted?.metadata?.["values"], ["yes"]);
    assert.equal(emitted?.metadata?.["label"], "Yes");
    assert.equal(emitted?.replyTo?.["message_id"], "9");
    assert.equal(emitted?.routing?.mentionsBot, true);
  });

  it("hears a button below a message that Telegram withholds", () => {
    const query = { id: "q1", from: ann, data: "go", message: { chat: direct, message_id: 3, date: 0 } };
    const { message: emitted, place } = heard(update("callback_query", query));
    assert.equal(emitted.conversation, "5");
    assert.equal(place.isDirect, true);
  });

  it("makes one event of each reaction that came or went, in the message's topic", () => {
    const topics = new TopicMemory();
    topics.remember(group.id, 9, 7);
    const reaction = {
      chat: group,
      message_id: 9,
      user: ann,
      date: 1_700_000_000,
      old_reaction: [{ type: "emoji", emoji: "👍" }],
      new_reaction: [{ type: "emoji", emoji: "🔥" }],
    };
    const result = translated(update("message_reaction", reaction), { topics });
    assert.ok(result.kind === "heard");
    const seen = result.items.map(({ message: emitted }) => [
      emitted.text,
      emitted.metadata?.["reaction_action"],
      emitted.conversation,
    ]);
    assert.deepEqual(seen, [
      ["🔥", "added", "-1005#topic:7"],
      ["👍", "removed", "-1005#topic:7"],
    ]);
    assert.equal(new Set(result.items.map(({ message: emitted }) => emitted.revision)).size, 2);
  });

  it("reports a migration, a membership, and what it passes over", () => {
    assert.deepEqual(translated(update("message", message({ text: undefined, migrate_to_chat_id: -1007 }))), {
      kind: "migrated",
      from: "-1005",
      to: "-1007",
    });
    const member = { chat: direct, from: ann, date: 1, new_chat_member: { status: "kicked", user: {} } };
    assert.deepEqual(translated(update("my_chat_member", member)), {
      kind: "member",
      conversation: "5",
      status: "kicked",
    });
    assert.deepEqual(translated(update("message", message({ text: undefined, new_chat_title: "x" }))), {
      kind: "ignored",
      what: "service_message",
    });
    assert.deepEqual(translated(update("shipping_query", {})), { kind: "ignored", what: "shipping_query" });
  });

  it("survives what no honest server sends", () => {
    const kinds = nonsenseUpdates(() => 1).map((nonsense) => translated(nonsense as never).kind);
    assert.ok(kinds.includes("ignored"));
  });
});

describe("content", () => {
  const file = { file_id: "F1", file_unique_id: "u1", file_size: 10 };
  const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, string, object | null])[] = [
    [
      "the largest size of a photo",
      {
        photo: [
          { ...file, width: 1, height: 1 },
          { ...file, file_id: "F2", width: 9, height: 9 },
        ],
        caption: "look",
      },
      "look",
      { ref: "F2", mimeType: "image/jpeg", filename: "photo_u1.jpg" },
    ],
    [
      "a document by its name",
      { document: { ...file, file_name: "a.txt", mime_type: "text/plain" } },
      "",
      { filename: "a.txt", ref: "F1" },
    ],
    ["a voice message", { voice: file }, "", { mimeType: "audio/ogg" }],
    [
      "a sticker with its emoji",
      { sticker: { ...file, emoji: "🙂", is_video: false, is_animated: false } },
      "🙂",
      { mimeType: "image/webp" },
    ],
    ["a place", { location: { latitude: 1, longitude: 2 } }, "[location: 1, 2]", null],
    ["a contact", { contact: { first_name: "Bo", phone_number: "+1" } }, "[contact: Bo, +1]", null],
  ];
  for (const [what, fields, text, expected] of rows)
    it(`hears ${what}`, () => {
      const { message: emitted } = heard(update("message", message({ text: undefined, ...fields })));
      assert.equal(emitted.text, text);
      const [attachment] = emitted.attachments ?? [];
      if (expected === null) assert.equal(attachment, undefined);
      else assert.partialDeepStrictEqual(attachment, expected);
    });

  it("quotes at most 200 characters of what is answered", () => {
    const target = message({
      message_id: 3,
      text: "x".repeat(500),
      from: { id: 77, is_bot: true, first_name: "Bulk" },
    });
    const { message: emitted } = heard(update("message", message({ reply_to_message: target })));
    assert.equal(String(emitted.metadata?.["reply_to_text"]).length, 200);
    assert.equal(emitted.metadata?.["reply_to_message_id"], "3");
    assert.equal(emitted.metadata?.["reply_to_is_bot"], true);
  });
});
