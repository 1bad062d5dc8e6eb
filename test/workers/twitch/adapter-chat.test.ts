import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns, within } from "../../conformance/within.ts";
import { botAccount, mainChannel, otherChannel } from "../../emulators/twitch/chat-world.ts";
import { TwitchPlatform } from "../../emulators/twitch/platform.ts";

const bob = { login: "bob", userId: "3003", displayName: "Bob" };

/** What a start comes to while the clock runs. */
async function startFailure(platform: TwitchPlatform): Promise<GatewayError> {
  await using clock = new FakeClock();
  await using bench = new AdapterBench(platform);
  const outcome = await clock.outcomeOf(bench.start(), 20, "the end of start");
  assert.equal(outcome.kind, "rejected");
  await bench[Symbol.asyncDispose]();
  platform.service.cutHanging();
  await within(platform.allSocketsClosed(), "the end of every socket", () => platform.openSockets);
  return GatewayError.from(outcome.kind === "rejected" ? outcome.reason : null);
}

function events(bench: AdapterBench, name: string): readonly Readonly<Record<string, unknown>>[] {
  return bench.ledger.log.items.filter(({ event }) => event === name).map(({ fields }) => fields);
}

describe("twitch adapter, connecting", () => {
  it("logs in with what Twitch wants, and joins each channel once", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const [session] = platform.service.sessions.items;
    const lines = session?.lines.items ?? [];
    assert.deepEqual(lines, [
      "CAP REQ :twitch.tv/tags twitch.tv/commands",
      `PASS oauth:${platform.settings.oauthToken}`,
      `NICK ${botAccount.login}`,
      `JOIN #${mainChannel}`,
      `JOIN #${otherChannel}`,
    ]);
    await bench.hear("hello");
  });

  it("gives up an upgrade, and a login, that are never answered", async () => {
    for (const behaviour of ["no_upgrade", "no_welcome"] as const) {
      await using platform = await TwitchPlatform.start();
      platform.service.behaviour = behaviour;
      const error = await startFailure(platform);
      assert.equal(error.code, "timeout", error.message);
      assert.match(error.message, /no welcome within/u);
    }
  });

  it("asks nobody for another token where Twitch says that logging in failed at its own end", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.behaviour = "no_welcome";
    await using bench = new AdapterBench(platform);
    const start = bench.start();
    start.catch(() => {});
    await platform.service.sessions.count(1, "a connection");
    platform.service.sessions.items[0]?.refuseLogin("Error logging in");
    await assert.rejects(within(start, "the end of start"), { code: "platform_unavailable", userAction: null });
    assert.deepEqual(platform.service.ledger.refreshes.items, []);
  });

  it("does not take the end of a connection for a login", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.behaviour = "no_welcome";
    await using bench = new AdapterBench(platform);
    const start = bench.start();
    start.catch(() => {});
    await platform.service.sessions.count(1, "a connection");
    platform.dropConnections();
    await assert.rejects(within(start, "the end of start"), { code: "platform_unavailable" });
  });

  it("takes the settings apart before it connects", async () => {
    const rows: readonly (readonly [Parameters<typeof TwitchPlatform.start>[0], RegExp])[] = [
      [{ username: "ship bot" }, /username is no login/u],
      [{ channels: ["bridge\r\nJOIN #elsewhere"] }, /Cannot join .*it is no login/u],
    ];
    for (const [settings, message] of rows) {
      await using platform = await TwitchPlatform.start(settings);
      await using bench = new AdapterBench(platform);
      await assert.rejects(bench.start(), { code: "config_invalid", message });
      assert.equal(platform.connections.total, 0);
    }
  });

  it("is heard under the name that its token has", async () => {
    await using platform = await TwitchPlatform.start({ username: "another_name" });
    await using bench = await AdapterBench.start(platform);
    assert.deepEqual(events(bench, "twitch-username-differs"), [
      { configured: "another_name", actual: botAccount.login },
    ]);
    const heard = await bench.hear(`@${botAccount.login} hello`);
    assert.equal(heard.routing?.mentionsBot, true);
  });
});

describe("twitch adapter, in its channels", () => {
  it("tells of a channel that never answers, hears the others, and asks again until it is in", async () => {
    await using platform = await TwitchPlatform.start();
    const deaf = platform.service.world.channel(otherChannel);
    deaf.isDeaf = true;
    await using clock = new FakeClock();
    await using bench = new AdapterBench(platform);
    assert.equal((await clock.outcomeOf(bench.start(), 20, "the end of start")).kind, "resolved");
    await bench.hear("here");
    const [told] = events(bench, "twitch-channel-not-joined");
    assert.equal(told?.["channel"], otherChannel);
    assert.match(String(told?.["reason"]), /no answer/u);
    await clock.advance(70);
    assert.equal(events(bench, "twitch-channel-not-joined").length, 1, "it says the same again");
    deaf.isDeaf = false;
    await clock.advanceUntil(() => events(bench, "twitch-channel-joined").length > 0, 70);
    await bench.hear("there", otherChannel);
  });

  it("does not start where no channel lets it in, and says why", async () => {
    await using platform = await TwitchPlatform.start({ channels: [mainChannel, "nobody_there"] });
    platform.service.world.channel(mainChannel).banned.add(botAccount.login);
    const error = await startFailure(platform);
    assert.equal(error.code, "platform_unavailable");
    assert.match(error.message, /"bridge", "nobody_there".*msg_banned/u);
    assert.match(error.userAction ?? "", /Check the names in channels/u);
  });

  it("says that it hears nothing where no channels are configured", async () => {
    await using platform = await TwitchPlatform.start({ channels: [] });
    await using bench = await AdapterBench.start(platform);
    assert.equal(events(bench, "twitch-without-channels").length, 1);
  });

  it("joins more channels than Twitch takes at once, at Twitch's pace", async () => {
    const channels = Array.from({ length: 45 }, (_, index) => `room_${index}`);
    await using platform = await TwitchPlatform.start({ channels }, channels);
    await using clock = new FakeClock();
    await using bench = new AdapterBench(platform);
    assert.equal((await clock.outcomeOf(bench.start(), 20, "the end of start")).kind, "resolved");
    const isIn = (): boolean => channels.every((channel) => platform.service.listeners(channel).length === 1);
    assert.ok(await clock.advanceUntil(isIn, 40), "it is not in every channel");
    assert.deepEqual(events(bench, "twitch-channel-not-joined"), []);
  });

  it("comes back into a channel that it was put out of", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    await clock.advance(70);
    platform.service.live[0]?.part(mainChannel);
    await turns(20);
    await assert.rejects(bench.send(mainChannel, "hello"), { code: "platform_unavailable" });
    assert.ok(await clock.advanceUntil(() => platform.service.listeners(mainChannel).length > 0, 70));
    await bench.hear("welcome back");
    assert.equal(platform.connections.total, 1);
  });
});

describe("twitch adapter, staying connected", () => {
  it("makes another connection when Twitch asks for it, and counts what it missed meanwhile", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    await bench.hear("before");
    platform.service.live[0]?.send(":tmi.twitch.tv RECONNECT");
    await bench.ledger.signs.first(({ kind }) => kind === "connected", "another connection");
    assert.match(bench.ledger.signs.items[1]?.reason ?? "", /asked for another connection/u);
    await bench.hear("after");
    assert.deepEqual([bench.generation, platform.connections], [1, { live: 1, total: 2 }]);
    assert.ok(bench.ledger.gapSeconds > 0, "the gap is not counted");
  });

  it("counts the time in which no life of it listened", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    await bench.hear("present");
    assert.equal(bench.ledger.gapSeconds, 0);
    await bench.stop();
    await clock.advance(90);
    await bench.start();
    assert.ok(bench.ledger.gapSeconds >= 89 && bench.ledger.gapSeconds <= 95, `${bench.ledger.gapSeconds} s`);
  });

  it("does not take a server that only says that it is there for one that lets the bot hear", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    platform.service.behaviour = "no_welcome";
    platform.dropConnections();
    await clock.advance(15);
    platform.service.behaviour = "normal";
    await clock.advanceUntil(() => bench.ledger.signs.items.some(({ kind }) => kind === "connected"), 20);
    assert.ok(bench.ledger.gapSeconds >= 15, `${bench.ledger.gapSeconds} s`);
  });

  it("counts for a life that was killed since it last wrote down that it was there", async () => {
    await using platform = await TwitchPlatform.start();
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    assert.notEqual(bench.ledger.resumeState, null, "it is not written down at once");
    await clock.advance(40);
    const state = structuredClone(bench.ledger.resumeState);
    await clock.advance(10);
    await bench.stop();
    bench.ledger.resumeState = state;
    await bench.start();
    assert.ok(bench.ledger.gapSeconds >= 10 && bench.ledger.gapSeconds <= 70, `${bench.ledger.gapSeconds} s`);
  });

  for (const form of ["prefixed", "bare"] as const)
    it(`is content with a ${form} PONG for as long as it lasts`, async () => {
      await using platform = await TwitchPlatform.start();
      platform.service.pongForm = form;
      await using clock = new FakeClock();
      await using bench = await AdapterBench.start(platform);
      await bench.running.probe?.();
      const { frames } = bench.ledger;
      await clock.advance(150);
      assert.ok(bench.ledger.frames > frames + 4, "it shows no life");
      await bench.hear("still here");
      assert.equal(platform.connections.total, 1);
    });

  it("cuts a connection that answers no PING, and makes another", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.pongForm = "none";
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    assert.ok(await clock.advanceUntil(() => platform.connections.total > 1, 50), "it waits for ever");
    assert.match(bench.ledger.signs.items[1]?.reason ?? "", /silent for/u);
  });

  it("answers a PING with what it asked", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const [session] = platform.service.sessions.items;
    session?.send("PING :tmi.twitch.tv", "PING :another words");
    await bench.hear("after it");
    await turns(10);
    assert.deepEqual(session?.lines.items.slice(-2), ["PONG :tmi.twitch.tv", "PONG :another words"]);
  });

  it("counts what makes no sense, says so once a minute, and goes on over the same connection", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const [session] = platform.service.sessions.items;
    const line = `:x!x@x PRIVMSG #${mainChannel}`;
    for (let index = 0; index < 50; index += 1) session?.send(line);
    session?.socket.send(Buffer.from([1, 2, 3]));
    await bench.hear("sense");
    assert.deepEqual(events(bench, "twitch-line-malformed"), [
      { kind: "PRIVMSG", count: 1 },
      { kind: "binary frame", count: 1 },
    ]);
    assert.equal(platform.connections.total, 1);
  });

  it("is not welcomed twice, which would leave a timer of the library's behind", async () => {
    const { mock: started } = mock.method(globalThis, "setInterval");
    try {
      await using platform = await TwitchPlatform.start();
      await using bench = await AdapterBench.start(platform);
      platform.service.live[0]?.send(":tmi.twitch.tv 376 shipbot :>");
      await bench.hear("after it");
      assert.equal(started.calls.filter(({ arguments: [, delayMs] }) => delayMs === 60_000).length, 1);
    } finally {
      mock.restoreAll();
    }
  });
});

describe("twitch adapter, hearing", () => {
  it("hears messages, actions, replies and what is written to a subscription", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.speak({ text: "\u0001ACTION waves\u0001" });
    platform.speak({
      text: "@ShipBot yes",
      sender: bob,
      tags: {
        "reply-parent-msg-id": "p",
        "reply-parent-user-login": "shipbot",
        "reply-parent-msg-body": "Coffee; or tea?",
      },
    });
    platform.tell("USERNOTICE", { id: "n-1", login: "bob", "user-id": "3003", "msg-id": "resub" }, "a year!");
    platform.tell("USERNOTICE", { id: "n-2", login: "bob", "user-id": "3003", "msg-id": "raid" });
    await bench.hear("and so on");
    assert.deepEqual(bench.ledger.texts(), ["waves", "@ShipBot yes", "a year!", "and so on"]);
    const [, reply] = bench.ledger.accepted.items;
    assert.equal(reply?.message.routing?.mentionsBot, true);
    assert.equal(reply?.message.metadata?.["reply_to_text"], "Coffee; or tea?");
    assert.equal(reply?.message.routing?.senderLogin, "bob");
    assert.deepEqual(events(bench, "twitch-line-ignored"), [{ kind: "USERNOTICE raid", count: 1 }]);
  });

  it("hears of a deleted message, of its writer, and not of a cleared chat", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    const id = await platform.say({ text: "regretted" });
    await bench.ledger.acceptedText("regretted");
    platform.tell("CLEARMSG", { "target-msg-id": id, login: "ann" }, "regretted");
    platform.tell("CLEARCHAT", { "target-user-id": "2002" }, "ann");
    await bench.hear("after it");
    const deletions = bench.ledger.accepted.items.filter(({ message }) => message.kind === "deleted");
    assert.equal(deletions.length, 1);
    assert.partialDeepStrictEqual(deletions[0]?.message, {
      id,
      conversation: mainChannel,
      sender: { id: "2002", name: "Ann" },
    });
  });

  it("does not hear what the account says elsewhere", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.speak({ text: "by hand", sender: botAccount });
    await bench.hear("by somebody");
    assert.deepEqual(bench.ledger.texts(), ["by somebody"]);
  });

  it("hears whom and what the policy lets through, from the moment it changes", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform, { dmAllowedUsers: ["BOB"], triggerPrefix: "!" });
    platform.speak({ text: "!from ann" });
    platform.speak({ text: "without a prefix", sender: bob });
    platform.speak({ text: "! from bob", sender: bob });
    await bench.ledger.acceptedText("from bob");
    assert.deepEqual(bench.ledger.texts(), ["from bob"]);
  });
});
