/** Slash commands, buttons, selects and what is suggested while a person types. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../conformance/fake-clock.ts";
import type { DiscordPlatform } from "../../emulators/discord/platform.ts";
import { openPolicy } from "../../support/adapter-context.ts";
import { command, startBench } from "./bench.ts";
import { mockClocks } from "../../support/mocked-time.ts";

const deferred = { command: 5, component: 6 } as const;

describe("a slash command", () => {
  it("comes in with its arguments, and is deferred once it is accepted", async () => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    bench.ledger.hold();
    const { id } = type(discord, { options: [{ type: 3, name: "what", value: "all" }] });
    await bench.ledger.emitted.count(1, "the command on its way");
    assert.equal(changes.items.length, 0, "it is deferred before it is accepted");
    bench.ledger.release();
    const heard = await bench.ledger.acceptedKind("command");
    const change = await changes.first((each) => each.id === id, "the first sign");
    assert.equal(change.answerType, deferred.command);
    assert.equal(heard.id, id);
    assert.equal(heard.text, "/status all");
    assert.equal(heard.metadata?.["command_name"], "status");
    assert.deepEqual(heard.metadata?.["command_args"], { what: "all" });
    assert.equal(heard.routing?.mentionsBot, true);
    assert.ok(!JSON.stringify(heard).includes("interaction-token"), "its token is in the message");
  });

  it("is deferred in time even when the gateway does not accept it", async () => {
    await using clock = new FakeClock();
    await using test = await startBench();
    const { discord, bench, changes } = test;
    bench.ledger.hold();
    type(discord);
    assert.ok(await clock.advanceUntil(() => changes.items.length > 0, 2.9), "Discord has given up by now");
  });

  it("has its first answer in place of the sign, and the next ones as messages", async () => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    await bench.answer(heard, "first");
    const original = await changes.first(({ originalId }) => originalId !== null, "the answer");
    assert.equal(discord.world.message(discord.world.mainChannel, original.originalId ?? "")["content"], "first");
    await bench.answer(heard, "second");
    const second = await bench.shown(({ text }) => text === "second", "the second answer");
    assert.equal(second.kind, "message");
    assert.ok(discord.rest.requests.includes(`POST /channels/${discord.world.mainChannel}/messages`));
  });

  it("is answered privately, and further too, when it is declared private", async () => {
    await using test = await startBench({ commands: [command({ isPrivate: true })] });
    const { discord, bench, changes } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    await bench.answer(heard, "for you alone");
    await bench.answer(heard, "this too");
    for (const text of ["for you alone", "this too"])
      assert.equal((await bench.shown((item) => item.text === text, text)).kind, "ephemeral");
    assert.equal(changes.items[0]?.isHidden, true);
  });

  it("is answered in a direct message when it is private and its time is over", async () => {
    await using test = await startBench({ commands: [command({ isPrivate: true })] });
    const { discord, bench } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    discord.sessions.forget();
    await bench.respawn();
    await bench.answer(heard, "for you alone");
    const shown = await bench.shown(({ text }) => text === "for you alone", "the answer");
    assert.deepEqual([shown.kind, shown.conversation], ["message", `dm:${discord.world.ann.id}`]);
  });

  it("is still answered as what it is when the next generation gets it again", async () => {
    await using test = await startBench({ commands: [command({ isPrivate: true })] });
    const { discord, bench } = test;
    bench.ledger.hold();
    type(discord);
    await bench.ledger.emitted.count(1, "the command on its way");
    await bench.respawn();
    const heard = await bench.ledger.acceptedKind("command");
    await bench.answer(heard, "for you alone");
    assert.equal((await bench.shown(({ text }) => text === "for you alone", "the answer")).kind, "ephemeral");
  });

  it("is answered by an ordinary message after a respawn", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    discord.sessions.forget();
    await bench.respawn();
    await bench.answer(heard, "late answer");
    const shown = await bench.shown(({ text }) => text === "late answer", "the answer");
    assert.equal(shown.conversation, discord.world.mainChannel);
  });

  it("is answered by an ordinary message after its 14 minutes", async (context) => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    await changes.first(({ answerType }) => answerType === deferred.command, "the first sign");
    mockClocks(context, Date.now() + 14 * 60_000 + 1_000);
    await bench.answer(heard, "very late");
    await bench.shown(({ text }) => text === "very late", "the answer");
    assert.ok(changes.items.every(({ originalId }) => originalId === null));
  });

  it("is whispered to in a direct message once its time is over", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    discord.sessions.forget();
    await bench.respawn();
    await bench.answer(heard, { kind: "ephemeral", text: "psst", userId: heard.sender.id });
    const shown = await bench.shown(({ text }) => text === "psst", "the whisper");
    assert.equal(shown.conversation, `dm:${discord.world.ann.id}`);
  });

  it("has its answer where it was typed, thread or not", async () => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    await bench.answer(heard, { kind: "thread_reply", threadName: "side", text: "here" });
    await changes.first(({ originalId }) => originalId !== null, "the answer");
    assert.ok(discord.shown.every(({ kind }) => kind !== "thread"));
  });

  it("is whispered to: a public sign is taken back for an ephemeral answer", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    await bench.answer(heard, { kind: "ephemeral", text: "psst", userId: heard.sender.id });
    const shown = await bench.shown(({ text }) => text === "psst", "the whisper");
    assert.equal(shown.kind, "ephemeral");
  });

  it("streams into its answer", async () => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    type(discord);
    const heard = await bench.ledger.acceptedKind("command");
    await bench.answer(heard, { kind: "stream_start" });
    const { originalId } = await changes.first((each) => each.originalId !== null, "the placeholder");
    await bench.answer(heard, { kind: "stream_chunk", text: "one" });
    await bench.answer(heard, { kind: "stream_end", text: "one two" });
    const shown = await bench.shown(({ kind, text }) => kind === "edit" && text === "one two", "the end");
    assert.equal(shown.messageId, originalId);
  });

  it("is refused with a word to who asked where the policy does not allow it, channel filters included", async () => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    const { world } = discord;
    const channelFilter = { [world.guildId]: [world.otherChannel] };
    await bench.running.updatePolicy?.call(bench.running, { ...openPolicy, channelFilter });
    const { id } = type(discord);
    const change = await changes.first((each) => each.id === id, "the refusal");
    assert.deepEqual([change.answerType, change.isHidden], [4, true]);
    assert.equal(bench.ledger.accepted.items.length, 0);
  });
});

describe("a component", () => {
  it("comes in with what was chosen, changes nothing visible, and is answered by a message", async () => {
    await using test = await startBench();
    const { discord, bench, changes } = test;
    const { world } = discord;
    const heard = await bench.hear("show me buttons");
    await bench.answer(heard, {
      kind: "rich_message",
      text: "choose",
      interactiveElements: [
        { kind: "buttons", buttons: [{ label: "Yes", customId: "yes", style: "success" }] },
        { kind: "select", customId: "pick", options: [{ label: "One", value: "1", emoji: "thumbsup" }] },
      ],
    });
    const { messageId } = await bench.shown(({ text }) => text === "choose", "the buttons");
    const message = world.message(world.mainChannel, messageId);
    const at = { channelId: world.mainChannel, userId: world.ann.id, message };
    const button = discord.desk.create(3, { ...at, data: { component_type: 2, custom_id: "yes" } });
    const clicked = await bench.ledger.acceptedKind("interaction");
    assert.deepEqual([clicked.metadata?.["action_id"], clicked.metadata?.["label"]], ["yes", "Yes"]);
    assert.equal(clicked.metadata?.["message_ts"], messageId);
    assert.equal((await changes.first(({ id }) => id === button.id, "the first sign")).answerType, deferred.component);
    await bench.answer(clicked, "you said yes");
    await bench.shown(({ kind, text }) => kind === "message" && text === "you said yes", "the answer");
    discord.desk.create(3, { ...at, data: { component_type: 3, custom_id: "pick", values: ["1"] } });
    const picked = await bench.ledger.accepted.first(
      ({ message: each }) => each.metadata?.["action_id"] === "pick",
      "it",
    );
    assert.deepEqual(picked.message.metadata?.["values"], ["1"]);
    await bench.answer(picked.message, { kind: "ephemeral", text: "a secret pick", userId: world.ann.id });
    assert.equal((await bench.shown(({ text }) => text === "a secret pick", "it")).kind, "ephemeral");
  });
});

describe("an autocompletion", () => {
  it("is answered at once with the declared choices that match, and reaches no consumer", async () => {
    const choices = ["Warsaw", "Wrocław", "Gdańsk"];
    const options = [{ name: "city", description: "Where", type: "string", required: true, choices }] as const;
    await using test = await startBench({ commands: [command({ name: "weather", options })] });
    const { discord, bench, changes } = test;
    const { id } = discord.desk.create(4, {
      data: { name: "weather", options: [{ type: 3, name: "city", value: "wr", focused: true }] },
      channelId: discord.world.mainChannel,
      userId: discord.world.ann.id,
    });
    const change = await changes.first((each) => each.id === id, "the suggestions");
    assert.deepEqual(change.choices, [{ name: "Wrocław", value: "Wrocław" }]);
    await bench.hear("later");
    assert.deepEqual(bench.ledger.texts(), ["later"]);
  });
});

function type(discord: DiscordPlatform, data: Readonly<Record<string, unknown>> = {}): { readonly id: string } {
  const { mainChannel, ann } = discord.world;
  return discord.desk.create(2, { data: { name: "status", type: 1, ...data }, channelId: mainChannel, userId: ann.id });
}
