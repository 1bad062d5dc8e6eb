/** What people do on Discord, as consumers hear of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openPolicy } from "../../support/adapter-context.ts";
import { startBench } from "./bench.ts";

describe("a Discord adapter that listens", () => {
  it("says where a message comes from, with ids as strings", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const id = await discord.say({ text: `hello <@${world.bot.id}> and <@!${world.ann.id}>` });
    const heard = await bench.ledger.acceptedText("hello @bulkhead and @Ann");
    assert.equal(heard.id, id);
    assert.equal(heard.conversation, world.mainChannel);
    assert.deepEqual(heard.sender, { id: world.ann.id, name: "Ann", isBot: false });
    assert.deepEqual(heard.routing, {
      guildId: world.guildId,
      channelIds: [world.mainChannel],
      isDirect: false,
      mentionsBot: true,
    });
    const { metadata = {} } = heard;
    assert.deepEqual(
      {
        channel: metadata["discord_channel_id"],
        guild: metadata["discord_guild_id"],
        guildName: metadata["server_name"],
        channelName: metadata["channel_name"],
        isThread: metadata["discord_is_thread"],
        mention: metadata["discord_user_mention"],
        mentioned: metadata["discord_mentioned_bot"],
      },
      {
        channel: world.mainChannel,
        guild: world.guildId,
        guildName: "Bulkhead test guild",
        channelName: "general",
        isThread: false,
        mention: `<@${world.ann.id}>`,
        mentioned: true,
      },
    );
  });

  it("quotes what a message replies to, and counts a reply to the bot as addressed to it", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("ask me");
    await bench.answer(heard, `answer ${"x".repeat(300)}`);
    const shown = await bench.shown(({ text }) => text.startsWith("answer"), "the answer");
    const { world } = discord;
    world.post(world.mainChannel, world.ann, {
      content: "thanks",
      message_reference: { message_id: shown.messageId },
    });
    const { metadata = {}, routing } = await bench.ledger.acceptedText("thanks");
    assert.equal(metadata["reply_to_author"], "bulkhead");
    assert.equal(metadata["reply_to_is_bot"], true);
    assert.equal(metadata["discord_reply_to_bot"], true);
    assert.equal(routing?.mentionsBot, true);
    const quote = String(metadata["reply_to_text"]);
    assert.ok(quote.length <= 203 && quote.endsWith("..."), quote);
  });

  it("hears edits once each, and not that Discord looked at a link", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const heard = await bench.hear("first version");
    world.dispatch("MESSAGE_UPDATE", {
      ...world.message(world.mainChannel, heard.id),
      embeds: [{}],
      guild_id: world.guildId,
    });
    const edited = world.edit(world.mainChannel, heard.id, { content: "second version" });
    world.dispatch("MESSAGE_UPDATE", { ...edited, pinned: true, guild_id: world.guildId });
    await bench.hear("later");
    const edits = bench.ledger.accepted.items.filter(({ message }) => message.kind === "edited");
    assert.deepEqual(
      edits.map(({ message }) => [message.id, message.text, message.revision]),
      [[heard.id, "second version", edited["edited_timestamp"]]],
    );
  });

  it("hears deletions with their writer, but not those of the bot's own messages", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const heard = await bench.hear("soon gone");
    await bench.answer(heard, "mine, soon gone");
    const mine = await bench.shown(({ text }) => text.startsWith("mine"), "its own");
    world.remove(world.mainChannel, mine.messageId);
    world.remove(world.mainChannel, heard.id);
    const deleted = await bench.ledger.acceptedKind("deleted");
    assert.equal(deleted.id, heard.id);
    assert.deepEqual(deleted.sender, { id: world.ann.id, name: "Ann", isBot: false });
    await bench.hear("later");
    assert.equal(bench.ledger.accepted.items.filter(({ message }) => message.kind === "deleted").length, 1);
  });

  it("hears each of many messages deleted at once", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const first = await bench.hear("one");
    const second = await bench.hear("two");
    world.dispatch("MESSAGE_DELETE_BULK", {
      ids: [first.id, second.id],
      channel_id: world.mainChannel,
      guild_id: world.guildId,
    });
    await bench.ledger.accepted.count(2, "both deletions", ({ message }) => message.kind === "deleted");
  });

  it("hears a reaction that is put again after it was taken, and each of them once", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const heard = await bench.hear("react to me");
    const reaction = {
      user_id: world.ann.id,
      channel_id: world.mainChannel,
      message_id: heard.id,
      guild_id: world.guildId,
      emoji: { id: null, name: "👍" },
      member: { user: world.ann },
    };
    bench.ledger.hold();
    for (const type of ["ADD", "REMOVE", "ADD"]) world.dispatch(`MESSAGE_REACTION_${type}`, reaction);
    await bench.ledger.emitted.count(1, "the first", ({ message }) => message.kind === "reaction");
    // Sent again to the next generation: the same events have the same ids.
    await bench.respawn();
    await bench.hear("later");
    const accepted = bench.ledger.accepted.items.filter(({ message }) => message.kind === "reaction");
    const emitted = bench.ledger.emitted.items.filter(({ message }) => message.kind === "reaction");
    assert.deepEqual(
      accepted.map(({ message }) => message.metadata?.["reaction_action"]),
      ["added", "removed", "added"],
    );
    assert.deepEqual([emitted.length, new Set(emitted.map(({ gatewayId }) => gatewayId)).size], [4, 3]);
  });

  it("hears reactions put and taken, and not its own", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const heard = await bench.hear("react to me");
    const reaction = {
      user_id: world.ann.id,
      channel_id: world.mainChannel,
      message_id: heard.id,
      guild_id: world.guildId,
      emoji: { id: null, name: "👍" },
      member: { user: world.ann, nick: "Annie" },
    };
    world.dispatch("MESSAGE_REACTION_ADD", { ...reaction, user_id: world.bot.id, member: { user: world.bot } });
    world.dispatch("MESSAGE_REACTION_ADD", reaction);
    world.dispatch("MESSAGE_REACTION_REMOVE", reaction);
    world.dispatch("MESSAGE_REACTION_ADD", { ...reaction, emoji: { id: "77", name: "party", animated: true } });
    await bench.ledger.accepted.count(3, "three reactions", ({ message }) => message.kind === "reaction");
    const heardReactions = bench.ledger.accepted.items.filter(({ message }) => message.kind === "reaction");
    assert.deepEqual(
      heardReactions.map(({ message }) => [message.sender.name, message.text, message.metadata?.["reaction_action"]]),
      [
        ["Annie", "👍", "added"],
        ["Annie", "👍", "removed"],
        ["Annie", "<a:party:77>", "added"],
      ],
    );
  });

  it("has threads as conversations of their own, found by their channel's bindings", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    await bench.running.updatePolicy?.call(bench.running, {
      ...policyOf(bench),
      guildFilter: [world.guildId],
      channelFilter: { [world.guildId]: [world.mainChannel] },
    });
    const thread = {
      id: world.nextId(),
      type: 11,
      guild_id: world.guildId,
      name: "side talk",
      parent_id: world.mainChannel,
    };
    world.channels.set(thread.id, { ...thread, last_message_id: null });
    world.dispatch("THREAD_CREATE", thread);
    const heard = await bench.hear("in a thread", thread.id);
    assert.equal(heard.conversation, thread.id);
    assert.deepEqual(heard.routing?.channelIds, [thread.id, world.mainChannel]);
    assert.equal(heard.metadata?.["discord_is_thread"], true);
    assert.equal(heard.metadata?.["discord_parent_channel_id"], world.mainChannel);
  });

  it("reads what was forwarded", async () => {
    await using test = await startBench();
    const { world } = test.discord;
    const message = {
      id: world.nextId(),
      channel_id: world.mainChannel,
      guild_id: world.guildId,
      author: world.ann,
      content: "",
    };
    world.dispatch("MESSAGE_CREATE", {
      ...message,
      type: 0,
      message_snapshots: [{ message: { content: "said elsewhere" } }],
    });
    await test.bench.ledger.acceptedText("said elsewhere");
  });

  it("asks once for a channel that nobody told of, and never per message", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const { world } = discord;
    const id = world.nextId();
    world.channels.set(id, {
      id,
      type: 11,
      guild_id: world.guildId,
      name: "old thread",
      parent_id: world.mainChannel,
      last_message_id: null,
    });
    await bench.hear("one", id);
    await bench.hear("two", id);
    const lookups = discord.rest.requests.filter((request) => request === `GET /channels/${id}`);
    assert.equal(lookups.length, 1);
    const inMain = discord.rest.requests.filter((request) => request.startsWith("GET /guilds"));
    assert.deepEqual(inMain, []);
  });

  it("hears direct messages only of whom the list names", async () => {
    await using test = await startBench({ dmAllowedUsers: ["41"] });
    const { discord, bench } = test;
    await discord.say({ text: "not me", conversation: "dm:42", senderId: "42" });
    await discord.say({ text: "but me", conversation: "dm:41", senderId: "41" });
    const heard = await bench.ledger.acceptedText("but me");
    assert.equal(heard.conversation, "dm:41");
    assert.equal(heard.routing?.isDirect, true);
    assert.deepEqual(bench.ledger.texts(), ["but me"]);
    await bench.answer(heard, "hello you");
    const shown = await bench.shown(({ text }) => text === "hello you", "the answer");
    assert.equal(shown.conversation, "dm:41");
  });

  it("hears of no direct message at all where nobody is on the list", async () => {
    await using test = await startBench({ dmAllowedUsers: [] });
    const { discord, bench } = test;
    await discord.say({ text: "direct", conversation: "dm:42", senderId: "42" });
    await bench.hear("in the guild");
    assert.deepEqual(bench.ledger.texts(), ["in the guild"]);
  });

  it("hears bots only where they are allowed, and never itself", async () => {
    await using test = await startBench({ allowBotMessages: true });
    const { discord, bench } = test;
    const { world } = discord;
    world.addUser({ id: "55", username: "robot", global_name: null, bot: true });
    world.post(world.mainChannel, world.bot, { content: "myself" });
    await discord.say({ text: "another bot", senderId: "55" });
    const heard = await bench.ledger.acceptedText("another bot");
    assert.equal(heard.sender.isBot, true);
    await bench.running.updatePolicy?.call(bench.running, { ...policyOf(bench), allowBotMessages: false });
    await discord.say({ text: "another bot again", senderId: "55" });
    await bench.hear("a person");
    assert.deepEqual(bench.ledger.texts(), ["another bot", "a person"]);
  });

  it("drops the oldest of what the gateway does not take, and counts it", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    bench.ledger.hold();
    for (let index = 0; index < 4_300; index += 1) await discord.say({ text: `flood ${index}` });
    await bench.ledger.emitted.count(1, "the first of the flood");
    await discord.say({ text: "the last" });
    await bench.ledger.log.first(({ event }) => event === "discord-message-dropped", "a word about it");
    bench.ledger.release();
    await bench.ledger.acceptedText("the last");
    assert.equal(bench.ledger.missedMessages + bench.ledger.texts("flood").length, 4_300);
    assert.ok(bench.ledger.missedMessages > 0);
  });
});

function policyOf({ platform }: { readonly platform: { readonly policy: object } }): typeof openPolicy {
  return { ...openPolicy, ...platform.policy };
}
