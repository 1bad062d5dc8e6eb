import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns } from "../../conformance/within.ts";
import { botAccount, mainChannel, otherChannel } from "../../emulators/twitch/chat-world.ts";
import { TwitchPlatform } from "../../emulators/twitch/platform.ts";

const mostOrdinary = 20;

async function refusal(sending: Promise<unknown>): Promise<GatewayError> {
  const reason = await sending.then(
    () => assert.fail("it was sent"),
    (error: unknown) => error,
  );
  return GatewayError.from(reason);
}

/** A message that Twitch has and does not answer. */
async function unanswered(
  platform: TwitchPlatform,
  bench: AdapterBench,
  text = "hello",
): Promise<{ readonly sending: Promise<unknown> }> {
  platform.setFault("send", { kind: "hang" });
  const sending = bench.send(mainChannel, text);
  await platform.faultMet("send", 1);
  return { sending };
}

describe("twitch adapter, saying", () => {
  it("says it with the message's id as its receipt", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const receipt = await bench.running.send?.({
      conversation: mainChannel,
      response: { kind: "text", text: "hello" },
      replyTo: null,
      idempotencyKey: "k",
      signal: new AbortController().signal,
    });
    assert.deepEqual(receipt, { platformMessageId: platform.shown[0]?.messageId });
  });

  it("replies to the message itself, in every part of a long answer", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const id = await platform.say({ text: "why" });
    const heard = await bench.ledger.acceptedText("why");
    await bench.answer(heard, { kind: "thread_reply", threadName: "x", text: "because ".repeat(100) });
    await bench.answer(heard, "said to all");
    const parents = platform.service.said.items.map(({ tags }) => tags["reply-parent-msg-id"] ?? null);
    assert.deepEqual(parents, [id, id, null]);
  });

  it("lets no answer become a command, and none end its line", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const heard = await bench.hear("say it");
    const texts = ["/ban ann", ".timeout ann", "hello\r\nPART #bridge", "\u0001ACTION waves\u0001"];
    for (const text of texts) await bench.answer(heard, text);
    assert.deepEqual(
      platform.shown.map(({ text }) => text),
      ["/ban ann", ".timeout ann", "hello PART #bridge", "ACTION waves"],
    );
    const evil = { ...heard, replyTo: { message_id: "x :y\r\nQUIT" } };
    await bench.answer(evil, { kind: "thread_reply", threadName: "x", text: "no thread" });
    assert.equal(platform.service.said.items.at(-1)?.tags["reply-parent-msg-id"], undefined);
    assert.equal(platform.connections.total, 1);
  });

  it("finds a channel however it is written", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    await bench.send("#Bridge", "hello");
    assert.equal(platform.shown[0]?.conversation, mainChannel);
  });

  it("waits for no answer of a server that gives none", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.knowsCapabilities = false;
    await using bench = await AdapterBench.start(platform);
    await bench.hear("hello");
    await bench.send(mainChannel, "sent is all there is");
    await bench.shown(({ text }) => text === "sent is all there is", "what was sent");
  });

  it("refuses what nothing is left of", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const error = await refusal(bench.send(mainChannel, "\u0007\u0000 \n"));
    assert.deepEqual([error.code, error.retry], ["message_rejected", { kind: "never" }]);
  });

  it("keeps below Twitch's limit, and says when there is leave again", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    for (let index = 0; index < mostOrdinary; index += 1) await bench.send(mainChannel, `message ${index}`);
    const error = await refusal(bench.send(otherChannel, "one too many", null, "late"));
    assert.equal(error.code, "rate_limited");
    assert.ok(error.retry.kind === "after" && error.retry.delayMs > 20_000 && error.retry.delayMs <= 31_000);
    await clock.advance(error.retry.delayMs / 1_000);
    await bench.send(otherChannel, "one too many", null, "late");
    assert.equal(platform.shown.length, mostOrdinary + 1);
  });

  it("waits by itself for leave that comes soon", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    for (let index = 0; index < mostOrdinary; index += 1) await bench.send(mainChannel, `message ${index}`);
    await clock.advance(20);
    const outcome = await clock.outcomeOf(bench.send(mainChannel, "in time"), 15, "the end of a send");
    assert.equal(outcome.kind, "resolved");
    assert.equal(platform.shown.at(-1)?.text, "in time");
  });

  it("says more where it is a moderator, from what Twitch itself says", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.world.channel(mainChannel).moderators.add(botAccount.login);
    await using bench = await AdapterBench.start(platform);
    for (let index = 0; index < 2 * mostOrdinary; index += 1) await bench.send(mainChannel, "the same again");
    assert.equal(platform.shown.length, 2 * mostOrdinary);
    assert.equal((await refusal(bench.send(otherChannel, "here it is none"))).code, "rate_limited");
  });

  it("goes on with a long text where the limit stopped it, and says nothing twice", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    for (let index = 0; index < mostOrdinary - 1; index += 1) await bench.send(mainChannel, `message ${index}`);
    const text = `${"a ".repeat(240)}${"b ".repeat(240)}`;
    assert.equal((await refusal(bench.send(mainChannel, text, null, "long"))).code, "rate_limited");
    await clock.advance(31);
    await bench.send(mainChannel, text, null, "long");
    const parts = platform.shown.slice(mostOrdinary - 1).map((item) => item.text[0]);
    assert.deepEqual(parts, ["a", "b"]);
  });

  it("passes on what Twitch says against a message, to the send that it is about", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const channel = platform.service.world.channel(mainChannel);
    await bench.send(mainChannel, "once");
    const duplicate = await refusal(bench.send(mainChannel, "once"));
    assert.deepEqual([duplicate.code, duplicate.retry.kind], ["rate_limited", "after"]);
    channel.slowSeconds = 120;
    const slow = await refusal(bench.send(mainChannel, "another"));
    assert.ok(slow.retry.kind === "after" && slow.retry.delayMs > 60_000, JSON.stringify(slow.retry));
    channel.isEmoteOnly = true;
    assert.equal((await refusal(bench.send(mainChannel, "words"))).code, "message_rejected");
    channel.banned.add(botAccount.login);
    const [banned, elsewhere] = await Promise.allSettled([
      bench.send(mainChannel, "anybody"),
      bench.send(otherChannel, "somebody"),
    ]);
    assert.equal(banned.status === "rejected" ? GatewayError.from(banned.reason).code : "", "forbidden");
    assert.equal(elsewhere.status, "fulfilled");
  });

  it("takes no refusal for a message's own that Twitch takes right after it", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const { sending } = await unanswered(platform, bench);
    const line = platform.service.live[0]?.lines.items.find((each) => each.endsWith(":hello"));
    const nonce = /client-nonce=(\w+)/u.exec(line ?? "")?.[1] ?? "";
    platform.tell("NOTICE", { "msg-id": "msg_rejected" }, "Hey! Your message is being checked by mods.");
    platform.tell("NOTICE", { "msg-id": "msg_unheard_of" }, "No honest server says this.");
    platform.tell("USERSTATE", { id: "taken", "client-nonce": nonce });
    await sending;
    const told = bench.ledger.log.items.filter(({ event }) => event === "twitch-message-refused");
    assert.deepEqual(
      told.map(({ fields }) => fields?.["notice"]),
      ["msg_unheard_of", "msg_rejected"],
    );
  });

  it("passes a refusal on although the adapter is stopped right after it", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const { sending } = await unanswered(platform, bench);
    const ended = refusal(sending);
    platform.tell("NOTICE", { "msg-id": "msg_emoteonly" }, "This room is in emote-only mode.");
    await bench.hear("after it");
    bench.abort();
    assert.equal((await ended).code, "message_rejected");
  });

  it("tells of a refusal that nobody waits for", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    await bench.send(mainChannel, "held for review");
    platform.tell("NOTICE", { "msg-id": "msg_rejected" }, "Hey! Your message is being checked by mods.");
    await bench.hear("after it");
    const told = bench.ledger.log.items.filter(({ event }) => event === "twitch-message-refused");
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [{ channel: mainChannel, notice: "msg_rejected" }],
    );
  });

  it("holds back a whole window when Twitch says that somebody else has used up the limit", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.tell("NOTICE", { "msg-id": "msg_ratelimit" }, "Your message was not sent.");
    await bench.hear("after it");
    assert.equal((await refusal(bench.send(mainChannel, "not now"))).code, "rate_limited");
    assert.equal(platform.service.said.items.length, 0);
  });

  for (const [whose, tags] of [
    ["another client's", { "client-nonce": "of-somebody-else", id: "m" }],
    ["a JOIN's late", {}],
  ] as const)
    it(`takes ${whose} answer for none of its own`, async () => {
      await using platform = await TwitchPlatform.start();
      await using bench = await AdapterBench.start(platform);
      const { sending } = await unanswered(platform, bench);
      const ended = refusal(sending);
      platform.tell("USERSTATE", tags);
      await bench.hear("after it");
      bench.abort();
      assert.equal((await ended).code, "timeout");
    });

  it("does not know what became of a message whose answer was cut off, and says nothing of one that was never begun", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const { sending } = await unanswered(platform, bench, "said perhaps");
    const first = refusal(sending);
    const second = refusal(bench.send(mainChannel, "waits for its turn"));
    platform.dropConnections();
    assert.equal((await first).code, "timeout", "the outbox would say it again");
    assert.equal((await second).code, "platform_unavailable", "the outbox would not say it again");
  });

  it("hears what became of a message although it is stopped right after it said it", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const sending = bench.send(mainChannel, "hello");
    // Twitch has it; its answer is on the wire.
    await platform.service.said.count(1, "the message");
    await Promise.all([bench.running.stop(), sending]);
  });

  it("hears while it stops that a message is refused", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const { sending } = await unanswered(platform, bench);
    const ended = refusal(sending);
    const stopped = bench.running.stop();
    platform.tell("NOTICE", { "msg-id": "msg_emoteonly" }, "This room is in emote-only mode.");
    assert.equal((await ended).code, "message_rejected");
    await stopped;
  });

  it("says what Twitch had said against a message whose connection was lost right after it", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const { sending } = await unanswered(platform, bench);
    const ended = refusal(sending);
    platform.tell("NOTICE", { "msg-id": "msg_banned" }, "You are permanently banned.");
    await bench.hear("after it");
    platform.dropConnections();
    const error = await ended;
    // Another message may have been meant: said again, it might be there twice.
    assert.ok(error.code === "timeout" ? /msg_banned/u.test(error.message) : error.code === "forbidden", error.message);
  });

  it("says one thing after the other in a channel, and holds up no other channel by it", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const { sending } = await unanswered(platform, bench, "held");
    const held = refusal(sending);
    platform.liftFault("send");
    const next = refusal(bench.send(mainChannel, "next"));
    await bench.send(otherChannel, "elsewhere");
    await turns(20);
    assert.deepEqual(
      platform.shown.map(({ text }) => text),
      ["elsewhere"],
    );
    bench.abort();
    await Promise.all([held, next]);
  });
});
