import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy } from "../../../src/contract/adapter.ts";
import { admitted } from "../../../workers/twitch/admitted.ts";
import type { ChatLine } from "../../../workers/twitch/chat-line.ts";
import type { BotAccount } from "../../../workers/twitch/mentions.ts";
import { translateDeletion, translateMessage, type Heard } from "../../../workers/twitch/translate.ts";
import { openPolicy } from "../../support/adapter-context.ts";

const bot: BotAccount = { login: "shipbot", userId: "1001", displayName: "ShipBot" };
const annTags = {
  id: "m-1",
  "user-id": "2002",
  "display-name": "Ann",
  badges: "subscriber/12,premium/1",
  "tmi-sent-ts": "1700000000000",
};

function line(tags: Readonly<Record<string, string>>, text: string | null, command = "PRIVMSG"): ChatLine {
  return {
    command,
    prefix: command === "PRIVMSG" ? "ann!ann@ann.tmi.twitch.tv" : "tmi.twitch.tv",
    tags: new Map(Object.entries(tags)),
    params: text === null ? ["#bridge"] : ["#bridge", text],
  };
}

function heardOf(text: string, tags: Readonly<Record<string, string>> = {}, command = "PRIVMSG"): Heard {
  const heard = translateMessage(line({ ...annTags, ...tags }, text, command), bot, () => "made-up");
  assert.ok(heard !== null);
  return heard;
}

describe("translateMessage()", () => {
  it("tells who said what where", () => {
    assert.deepEqual(heardOf("hello").message, {
      id: "m-1",
      conversation: "bridge",
      sender: { id: "2002", name: "Ann", isBot: false },
      text: "hello",
      timestamp: "2023-11-14T22:13:20.000Z",
      routing: { channelIds: ["bridge"], mentionsBot: false, senderLogin: "ann" },
      replyTo: { message_id: "m-1" },
      metadata: {
        twitch_channel: "bridge",
        channel_name: "bridge",
        twitch_message_id: "m-1",
        message_id: "m-1",
        twitch_bot_login: "shipbot",
        twitch_user_id: "2002",
        twitch_user_login: "ann",
        sender_id: "2002",
        sender_display_name: "Ann",
        sender_is_bot: false,
        twitch_badges: ["subscriber/12", "premium/1"],
        twitch_is_action: false,
        twitch_mentions_or_replies_to_bot: false,
      },
    });
  });

  it("knows an action from a saying", () => {
    const { message } = heardOf("\u0001ACTION waves\u0001");
    assert.equal(message.text, "waves");
    assert.equal(message.metadata?.["twitch_is_action"], true);
  });

  it("knows a mention, and a reply to the bot", () => {
    const parent = {
      "reply-parent-msg-id": "p-1",
      "reply-parent-msg-body": "earlier",
      "reply-parent-display-name": "ShipBot",
    };
    for (const heard of [
      heardOf("@shipbot hello"),
      heardOf("yes", { ...parent, "reply-parent-user-login": "shipbot" }),
      heardOf("yes", { ...parent, "reply-parent-user-id": "1001" }),
    ]) {
      assert.equal(heard.message.routing?.mentionsBot, true);
      assert.equal(heard.message.metadata?.["twitch_mentions_or_replies_to_bot"], true);
    }
    const other = heardOf("yes", { ...parent, "reply-parent-user-login": "bob", "reply-parent-user-id": "3003" });
    assert.equal(other.message.routing?.mentionsBot, false);
    assert.partialDeepStrictEqual(other.message.metadata, {
      reply_to_message_id: "p-1",
      reply_to_text: "earlier",
      reply_to_author: "ShipBot",
      reply_to_username: "bob",
      reply_to_user_id: "3003",
      reply_to_is_bot: false,
    });
  });

  it("knows itself by its login and by its number, and other bots by their badge", () => {
    assert.ok(heardOf("x", { "user-id": "1001" }).place.isSelf);
    const own = translateMessage({ ...line(annTags, "x"), prefix: "shipbot!shipbot@x" }, bot, () => "");
    assert.ok(own?.place.isSelf);
    assert.ok(!heardOf("x").place.isSelf);
    assert.ok(heardOf("x", { badges: "bot-badge/1" }).place.isBot);
  });

  it("takes a notice that somebody wrote something to, and says what it was about", () => {
    const tags = { login: "ann", "msg-id": "resub", "system-msg": "Ann subscribed for 12 months!" };
    const { message } = heardOf("twelve!", tags, "USERNOTICE");
    assert.equal(message.sender.id, "2002");
    assert.partialDeepStrictEqual(message.metadata, {
      twitch_notice: "resub",
      twitch_system_message: "Ann subscribed for 12 months!",
    });
  });

  it("numbers the messages of a server that does not, and names their senders by what it has", () => {
    const heard = translateMessage(line({}, "hello"), bot, () => "made-up");
    assert.partialDeepStrictEqual(heard?.message, { id: "made-up", sender: { id: "ann", name: "ann" } });
    assert.equal(heard?.message.timestamp, undefined);
  });

  it("makes nothing of a line without a text, a channel or anybody", () => {
    const rows = [
      line(annTags, null),
      line(annTags, ""),
      { ...line(annTags, "x"), params: ["bridge", "x"] },
      { ...line(annTags, "x"), prefix: "" },
    ];
    for (const each of rows)
      assert.equal(
        translateMessage(each, bot, () => ""),
        null,
      );
    assert.equal(
      translateMessage(line({ "msg-id": "raid" }, "x", "USERNOTICE"), bot, () => ""),
      null,
    );
  });
});

describe("translateDeletion()", () => {
  const tags = { "target-msg-id": "m-1", login: "ann", "tmi-sent-ts": "1700000000000" };

  it("tells which message is gone, and whose it was", () => {
    const heard = translateDeletion(line(tags, "hello", "CLEARMSG"), bot, { id: "2002", name: "Ann", isBot: false });
    assert.partialDeepStrictEqual(heard?.message, {
      id: "m-1",
      kind: "deleted",
      conversation: "bridge",
      sender: { id: "2002", name: "Ann" },
      text: "",
    });
  });

  it("goes by the login where nobody remembers the message, and by none where there is none", () => {
    assert.equal(translateDeletion(line(tags, "hello", "CLEARMSG"), bot, undefined)?.message.sender.id, "ann");
    assert.equal(
      translateDeletion(line({ "target-msg-id": "m" }, "x", "CLEARMSG"), bot, undefined)?.message.sender.id,
      "unknown",
    );
    assert.equal(translateDeletion(line({ login: "ann" }, "x", "CLEARMSG"), bot, undefined), null);
  });
});

describe("admitted()", () => {
  const under = (policy: Partial<Policy>, heard = heardOf("hello")): string | null =>
    admitted(heard, { ...openPolicy, dmAllowedUsers: [], ...policy })?.text ?? null;

  it("hears everybody where nobody is named", () => {
    assert.equal(under({}), "hello");
    assert.equal(under({ dmAllowedUsers: ["*"] }), "hello");
  });

  it("hears whom the list names, by login in any case or by number", () => {
    for (const user of ["ann", "ANN", "@Ann", "2002"]) assert.equal(under({ dmAllowedUsers: ["bob", user] }), "hello");
    assert.equal(under({ dmAllowedUsers: ["bob", "20020"] }), null);
  });

  it("hears the channels that the bindings name", () => {
    assert.equal(under({ channelFilter: { "": ["bridge"] } }), "hello");
    assert.equal(under({ channelFilter: { "": ["engine_room"] } }), null);
  });

  it("hears neither itself nor another bot, unless bots are allowed", () => {
    assert.equal(under({}, heardOf("x", { "user-id": "1001" })), null);
    const other = heardOf("x", { badges: "bot-badge/1" });
    assert.equal(under({}, other), null);
    assert.equal(under({ allowBotMessages: true }, other), "x");
  });

  it("hears what begins with the prefix, to the letter, and takes it off", () => {
    const policy = { triggerPrefix: "!Ship" };
    assert.equal(under(policy, heardOf("!Ship set sail")), "set sail");
    assert.equal(under(policy, heardOf("!Ship")), "");
    assert.equal(under(policy, heardOf("!ship set sail")), null);
    assert.equal(under(policy, heardOf("set sail !Ship")), null);
  });

  it("hears of a deletion whose message it would have heard", () => {
    const gone = (text: string): Heard => {
      const heard = translateDeletion(line({ "target-msg-id": "m-1", login: "ann" }, text, "CLEARMSG"), bot, undefined);
      assert.ok(heard !== null);
      return heard;
    };
    const policy = { triggerPrefix: "!", dmAllowedUsers: ["ann"] };
    assert.equal(under(policy, gone("!hello")), "");
    assert.equal(under(policy, gone("hello")), null);
    assert.equal(under({ dmAllowedUsers: ["bob"] }, gone("!hello")), null);
  });
});
