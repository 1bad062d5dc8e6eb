import assert from "node:assert/strict";
import { once } from "node:events";
import { request as openRequest, type IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns } from "../../conformance/within.ts";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { annUser, botUser, channelChat, mainChat, otherChat, privateChat } from "../../emulators/telegram/bot-world.ts";
import { TelegramPlatform } from "../../emulators/telegram/platform.ts";

const command = { name: "show-all", description: "Shows all", options: [], isPrivate: false };
const main = String(mainChat.id);

/** A poll of somebody else's. Not by fetch, whose library keeps timers beyond a mocked clock's end. */
async function rivalPoll(platform: TelegramPlatform): Promise<number> {
  const token = encodeURIComponent(String(platform.settings["token"]));
  const call = openRequest(`${platform.server.url}/bot${token}/getUpdates`, { agent: false }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

describe("telegram adapter, polling", () => {
  it("polls with the offset after what is on disk, in this life and the next", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const id = await platform.say({ text: "one" });
    await platform.acknowledged(id);
    assert.partialDeepStrictEqual(bench.ledger.resumeState, { botId: botUser.id, mode: "polling", held: [] });
    await bench.respawn();
    await bench.hear("two");
    assert.equal(bench.ledger.emitted.items.filter(({ message }) => message.text === "one").length, 1);
  });

  it("does not go on from the offset of another bot", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = new AdapterBench(platform);
    bench.ledger.resumeState = { botId: 1, mode: "polling", offset: 2_000_000_000, atMs: Date.now(), held: [] };
    await bench.start();
    await bench.hear("heard all the same");
  });

  it("takes a whole batch of 100 before it waits for the journal", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = new AdapterBench(platform);
    for (let index = 0; index < 100; index += 1) await platform.say({ text: `m${index}` });
    bench.ledger.hold();
    await bench.start();
    await bench.ledger.emitted.count(100, "a batch of 100");
    bench.ledger.release();
    await bench.ledger.accepted.count(100, "all of it");
  });

  it("waits a window and goes on when another poller was there once", async () => {
    await using platform = await TelegramPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    await bench.hear("before");
    assert.equal(await rivalPoll(platform), 200);
    await bench.ledger.signs.first(({ kind }) => kind === "reconnecting", "the conflict");
    const polls = (): number => platform.server.calls.items.filter((call) => call === "getUpdates").length;
    const before = polls();
    await clock.advanceUntil(() => polls() > before, 9);
    assert.equal(polls(), before, "it polls again within the other one's window");
    await clock.advanceUntil(() => polls() > before, 5);
    await bench.hear("after");
    await bench.ledger.signs.first(({ kind }) => kind === "connected", "the end of the conflict");
  });

  it("hands a lasting conflict to the supervisor, although two pollers end each other only in turns", async () => {
    await using platform = await TelegramPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    const rival = new AdapterBench(platform);
    await clock.outcomeOf(rival.start(), 40, "the start of a second poller");
    const errors = (): readonly unknown[] => [...bench.ledger.errors, ...rival.ledger.errors];
    await clock.advanceUntil(() => errors().length > 0, 90);
    const error = GatewayError.from(errors()[0]);
    assert.equal(error.code, "conflict", `${error.message} ${JSON.stringify(bench.ledger.signs.items)}`);
    assert.match(error.message, /another poller uses this bot's token/u);
    assert.match(error.userAction ?? "", /a bot of its own/u);
    await rival[Symbol.asyncDispose]();
  });

  it("takes away a webhook of its own earlier days, and leaves alone one that was set since", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = new AdapterBench(platform);
    platform.world.webhook = { url: "https://old.example/hook", secret: "" };
    await bench.start();
    assert.equal(platform.world.webhook, null);
    await bench.stop();
    platform.world.webhook = { url: "https://other.example/hook", secret: "" };
    await assert.rejects(bench.start(), { code: "conflict", message: /set a webhook/u });
    assert.notEqual(platform.world.webhook, null);
  });

  it("gathers an album that comes in two batches into one message, and keeps it over a death", async () => {
    await using platform = await TelegramPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    const photo = (id: string): object => [{ file_id: id, file_unique_id: id, width: 1, height: 1 }];
    const first = platform.sayMessage(mainChat, null, { photo: photo("A"), media_group_id: "g", caption: "look" });
    await platform.acknowledged(first);
    assert.equal(bench.ledger.emitted.items.length, 0);
    await bench.respawn();
    const second = platform.sayMessage(mainChat, null, { photo: photo("B"), media_group_id: "g" });
    await platform.acknowledged(second);
    await clock.advanceUntil(() => bench.ledger.accepted.items.length > 0, 5);
    const heard = await bench.ledger.acceptedText("look");
    assert.deepEqual(
      heard.attachments?.map(({ ref }) => ref),
      ["A", "B"],
    );
    assert.equal(bench.ledger.accepted.items.length, 1);
    await clock.advanceUntil(() => false, 2);
    assert.partialDeepStrictEqual(bench.ledger.resumeState, { held: [] });
  });

  it("stops at once while the journal takes nothing, and the next life gets what waited", async () => {
    await using platform = await TelegramPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    const photo = [{ file_id: "A", file_unique_id: "A", width: 1, height: 1 }];
    const part = platform.sayMessage(otherChat, null, { photo, media_group_id: "g", caption: "look" });
    await platform.acknowledged(part);
    bench.ledger.hold();
    await platform.say({ text: "waiting" });
    await bench.ledger.emitted.first(({ message }) => message.text === "waiting", "the message on its way");
    const { running } = bench;
    const outcome = await clock.outcomeOf(running.stop(), 2, "the end of stop");
    assert.equal(outcome.kind, "resolved");
    await bench.respawn();
    await bench.ledger.acceptedText("waiting");
    await clock.advanceUntil(() => bench.ledger.texts("look").length > 0, 5);
    await bench.ledger.acceptedText("look");
  });

  it("answers a button once its message is on disk", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    bench.ledger.hold();
    platform.world.queries.add("q1");
    const message = { message_id: 5, date: 1_700_000_000, chat: mainChat, from: botUser, text: "choose" };
    platform.sendUpdate("callback_query", { id: "q1", from: annUser, data: "go", message });
    await bench.ledger.emitted.count(1, "the press of a button");
    await turns(50);
    assert.ok(platform.world.queries.has("q1"), "it is answered before it is on disk");
    const answered = platform.server.nextCall("answerCallbackQuery");
    bench.ledger.release();
    await answered;
    assert.equal((await bench.ledger.acceptedText("[interaction: go -> go]")).kind, "interaction");
  });

  it("hears whom the policy lets through, and no button of anybody else", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform, {
      dmAllowedUsers: ["7"],
      chatFilter: [String(otherChat.id)],
    });
    await platform.say({ text: "from a stranger", conversation: String(privateChat.id) });
    await platform.say({ text: "from another chat" });
    const message = { message_id: 5, date: 1, chat: mainChat, from: botUser, text: "choose" };
    platform.sendUpdate("callback_query", { id: "q1", from: annUser, data: "go", message });
    await platform.say({ text: "from a friend", conversation: String(privateChat.id), senderId: "7" });
    await bench.hear("from the chat", String(otherChat.id));
    assert.deepEqual(bench.ledger.texts(), ["from a friend", "from the chat"]);
  });

  it("keeps its menu of commands as declared, and touches nobody else's", async () => {
    await using platform = await TelegramPlatform.start();
    platform.world.menu = [{ command: "foreign", description: "set by hand" }];
    await using bench = await AdapterBench.start(platform);
    await bench.hear("started");
    assert.ok(!platform.server.calls.items.includes("setMyCommands"));
    const set = platform.server.nextCall("setMyCommands");
    const policy = { ...(await policyOf(bench)), commands: [command] };
    await bench.running.updatePolicy?.(policy);
    await set;
    await bench.hear("/show_all");
    await turns(20);
    assert.deepEqual(platform.world.menu, [{ command: "show_all", description: "Shows all" }]);
    const cleared = platform.server.nextCall("setMyCommands");
    await bench.running.updatePolicy?.({ ...policy, commands: [] });
    await cleared;
    await turns(20);
    assert.deepEqual(platform.world.menu, []);
  });

  it("hears a reaction to its own answer in the topic where that stands", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    await bench.send(`${main}#topic:7`, "answer");
    const shown = await bench.shown(({ text }) => text === "answer", "the answer");
    assert.equal(shown.conversation, `${main}#topic:7`);
    platform.sendUpdate("message_reaction", {
      chat: mainChat,
      message_id: Number(shown.messageId),
      user: annUser,
      date: 1_700_000_000,
      old_reaction: [],
      new_reaction: [{ type: "emoji", emoji: "🔥" }],
    });
    const heard = await bench.ledger.acceptedText("🔥");
    assert.equal(heard.conversation, `${main}#topic:7`);
    assert.equal(heard.kind, "reaction");
  });

  it("does not stumble over what no honest server sends", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    await platform.sayNonsense();
    await bench.hear("still here");
    assert.equal(bench.generation, 1);
    const told = bench.ledger.log.items.filter(({ event }) => event === "telegram-update-ignored");
    assert.ok(told.length > 0 && told.length < 20, `${told.length} lines about them`);
  });
});

describe("telegram adapter, sending", () => {
  it("says the same without formatting when Telegram cannot read it", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.server.refuseNext(
      "sendMessage",
      400,
      "Bad Request: can't parse entities: Unclosed start tag at byte offset 1",
    );
    await bench.send(main, "**bold** words");
    const shown = await bench.shown(({ text }) => text === "bold words", "the words");
    assert.equal((shown.raw as Readonly<Record<string, unknown>>)["parse_mode"], undefined);
  });

  it("follows a group that has become a supergroup", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.world.migrated.set(-55, otherChat.id);
    await bench.send("-55", "still reaching you");
    assert.equal((await bench.shown(() => true, "it")).conversation, String(otherChat.id));
    assert.ok(bench.ledger.log.items.some(({ event }) => event === "telegram-chat-migrated"));
    await bench.send("-55", "without asking again");
    assert.equal(platform.server.calls.items.filter((call) => call === "sendMessage").length, 3);
  });

  it("says who has blocked it, for good", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.world.blocked.add(privateChat.id);
    await assert.rejects(bench.send(String(privateChat.id), "hello"), (reason: unknown) => {
      const error = GatewayError.from(reason);
      assert.deepEqual([error.code, error.retry.kind], ["forbidden", "never"]);
      assert.match(error.userAction ?? "", /unblock/u);
      return true;
    });
  });

  it("sends pictures as pictures, and as a file what only calls itself one", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const file = (filename: string, bytes: Buffer): Parameters<typeof bench.send>[1] => ({
      kind: "file",
      filename,
      mimeType: "image/png",
      data: bytes.toString("base64"),
      caption: "**see**",
    });
    await bench.send(main, file("real.png", Buffer.from("89504e470d0a1a0a", "hex")));
    await bench.send(main, file("fake.png", Buffer.from("no picture")));
    await bench.shown(({ text }) => text === "fake.png", "the second file");
    const sent = platform.server.calls.items.filter((call) => /^send(?:Photo|Document)$/u.test(call));
    assert.deepEqual(sent, ["sendPhoto", "sendPhoto", "sendDocument"]);
  });

  it("goes on with a long text where a rate limit stopped it", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const text = `${"a ".repeat(2_000)}\n${"b ".repeat(2_000)}\n${"c ".repeat(2_000)}`;
    platform.server.refuseNext("sendMessage", 429, "Too Many Requests: retry after 1", 1);
    const request = {
      conversation: main,
      response: { kind: "text", text },
      replyTo: null,
      idempotencyKey: "k",
    } as const;
    const signal = new AbortController().signal;
    await assert.rejects(bench.running.send?.({ ...request, signal }) ?? Promise.resolve(), { code: "rate_limited" });
    await bench.running.send?.({ ...request, signal });
    assert.equal(platform.shown.length, 3);
  });

  it("does not know what became of a message whose answer the stop cut off", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.setFault("send", { kind: "hang" });
    const sending = bench.send(main, "said perhaps");
    sending.catch(() => {});
    await platform.faultMet("send", 1);
    bench.abort();
    await assert.rejects(sending, { code: "timeout" }, "the outbox would say it again");
    await assert.rejects(bench.send(main, "never begun"), { code: "adapter_unavailable" });
  });

  it("sends an anonymous poll where no other is allowed", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const poll = { question: "which", answers: ["a", "b"] };
    await bench.send(String(channelChat.id), { kind: "rich_message", text: "", poll });
    const shown = await bench.shown(({ kind }) => kind === "poll", "the poll");
    assert.equal((shown.raw as Readonly<Record<string, unknown>>)["is_anonymous"], true);
  });

  it("replies to the message itself in a thread's reply", async () => {
    await using platform = await TelegramPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const heard: EmittedMessage = await bench.hear("question");
    await bench.answer(heard, { kind: "thread_reply", threadName: "x", text: "answer" });
    const { raw } = await bench.shown(({ text }) => text === "answer", "the answer");
    const { reply_parameters: reply } = raw as Readonly<Record<string, unknown>>;
    assert.deepEqual(reply, { message_id: Number(heard.id), allow_sending_without_reply: true });
  });

  it("shows typing again every four seconds, once however often it is told, and no more after the answer", async () => {
    await using platform = await TelegramPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    const typings = (): number => platform.server.calls.items.filter((call) => call === "sendChatAction").length;
    const status = { kind: "thinking" } as const;
    for (let round = 0; round < 3; round += 1)
      await bench.running.setStatus?.({ conversation: main, status, replyTo: null });
    await clock.advanceUntil(() => typings() >= 3, 20);
    assert.equal(typings(), 3);
    await bench.send(main, "done");
    const before = typings();
    await clock.advanceUntil(() => typings() > before, 20);
    assert.equal(typings(), before);
  });
});

async function policyOf(
  bench: AdapterBench,
): Promise<Parameters<NonNullable<AdapterBench["running"]["updatePolicy"]>>[0]> {
  const { openPolicy } = await import("../../support/adapter-context.ts");
  return { ...openPolicy, ...bench.platform.policy };
}
