/** Sessions of Discord's gateway: kept, resumed, lost and made up for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import discordModule from "../../../workers/discord/adapter.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns } from "../../conformance/within.ts";
import { DiscordPlatform } from "../../emulators/discord/platform.ts";
import { adapterContext } from "../../support/adapter-context.ts";
import { startBench } from "./bench.ts";

describe("a Discord session", () => {
  it("is resumed by the next generation, which gets what it missed without a login", async () => {
    await using test = await startBench();
    const { discord, bench, steps } = test;
    await bench.hear("before");
    await bench.stop();
    await discord.say({ text: "while away" });
    await bench.start();
    await bench.ledger.acceptedText("while away");
    assert.deepEqual(
      steps.items.map((step) => step.split(" ")[0]),
      ["identify", "resume"],
    );
    assert.equal(bench.ledger.gapSeconds, 0);
  });

  it("is resumed after what was accepted, not after what was received", async () => {
    await using test = await startBench();
    const { bench, discord } = test;
    await bench.hear("accepted");
    bench.ledger.hold();
    await discord.say({ text: "received only" });
    await bench.ledger.emitted.count(2, "the second message on its way");
    await bench.respawn();
    await bench.ledger.acceptedText("received only");
    assert.equal(bench.ledger.missedMessages, 0);
  });

  it("is resumed at the common address when its own cannot be reached", async () => {
    await using test = await startBench({}, ({ sessions }) => {
      sessions.behavior.resumeUrl = "ws://127.0.0.1:1/";
    });
    const { discord, bench, steps } = test;
    await bench.hear("before");
    await bench.stop();
    await discord.say({ text: "while away" });
    await bench.start();
    await bench.ledger.acceptedText("while away");
    assert.equal(steps.items.filter((step) => step === "identify").length, 1);
  });

  it("is resumed when Discord asks to reconnect", async () => {
    await using test = await startBench();
    const { discord, bench, steps } = test;
    await bench.hear("before");
    discord.sessions.askToReconnect();
    await steps.first((step) => step.startsWith("resume"), "a resume");
    await bench.hear("after");
    assert.deepEqual(
      bench.ledger.signs.items.map(({ kind }) => kind),
      ["started", "reconnecting", "connected"],
    );
    assert.equal(bench.generation, 1);
  });

  it("is resumed over a new socket when a heartbeat is not acknowledged", async () => {
    await using test = await startBench({}, ({ sessions }) => {
      sessions.behavior.heartbeatMs = 100;
    });
    const { discord, bench, steps } = test;
    await bench.hear("before");
    discord.sessions.behavior.isAnswering = false;
    await steps.first((step) => step.startsWith("resume"), "a resume");
    discord.sessions.behavior.isAnswering = true;
    await bench.hear("after");
    assert.equal(bench.generation, 1);
  });

  it("counts a heartbeat's acknowledgement as a sign of life", async () => {
    await using test = await startBench({}, ({ sessions }) => {
      sessions.behavior.heartbeatMs = 50;
    });
    const { bench, steps } = test;
    const before = bench.ledger.frames;
    await steps.count(3, "three heartbeats", (step) => step === "heartbeat");
    assert.ok(bench.ledger.frames > before);
  });

  it("begins anew when Discord ends it, and what was written meanwhile is read from the channels", async () => {
    await using clock = new FakeClock();
    await using test = await startBench();
    const { discord, bench, steps } = test;
    const { world } = discord;
    await bench.hear("before");
    const direct = await heard(bench, discord, "direct before", "dm:42");
    assert.equal(direct.conversation, "dm:42");
    await bench.stop();
    discord.sessions.forget();
    await clock.advance(60);
    for (const text of ["missed 1", "missed 2"]) await discord.say({ text });
    await discord.say({ text: "missed elsewhere", conversation: world.otherChannel });
    await discord.say({ text: "missed directly", conversation: "dm:42", senderId: "42" });
    const started = bench.start();
    await clock.outcomeOf(started, 30, "the end of start");
    await discord.say({ text: "live again" });
    // What is live may be read from its channel's history, before the other channels are read.
    const isIn = (): boolean => bench.ledger.texts("live again").length > 0 && bench.ledger.texts("missed").length >= 4;
    await clock.advanceUntil(isIn, 30);
    assert.deepEqual(bench.ledger.texts("missed").toSorted(), [
      "missed 1",
      "missed 2",
      "missed directly",
      "missed elsewhere",
    ]);
    const inMain = bench.ledger.accepted.items.filter(({ message }) => message.conversation === world.mainChannel);
    assert.deepEqual(
      inMain.map(({ message }) => message.text),
      ["before", "missed 1", "missed 2", "live again"],
    );
    assert.equal(steps.items.filter((step) => step === "identify").length, 2);
    assert.equal(bench.ledger.gapSeconds, 0);
  });

  it("counts the gap when it does not catch up", async () => {
    await using clock = new FakeClock();
    const discord = await DiscordPlatform.start();
    await using _discord = discord;
    Object.defineProperty(discord, "settings", { value: { ...discord.settings, catchUp: false } });
    await using bench = await AdapterBench.start(discord);
    await bench.hear("before");
    await clock.advance(2);
    await bench.stop();
    discord.sessions.forget();
    await clock.advance(90);
    await discord.say({ text: "missed" });
    await clock.outcomeOf(bench.start(), 30, "the end of start");
    await bench.hear("after");
    assert.deepEqual(bench.ledger.texts("missed"), []);
    assert.ok(bench.ledger.gapSeconds >= 90 && bench.ledger.gapSeconds <= 130, `${bench.ledger.gapSeconds} s`);
  });

  it("counts the gap when more was written than it reads", async () => {
    await using clock = new FakeClock();
    await using test = await startBench();
    const { discord, bench } = test;
    await bench.hear("before");
    await bench.stop();
    discord.sessions.forget();
    for (let index = 0; index < 250; index += 1) await discord.say({ text: `missed ${index}` });
    await clock.outcomeOf(bench.start(), 30, "the end of start");
    await bench.ledger.log.first(({ event }) => event === "discord-caught-up", "the end of catching up");
    assert.equal(bench.ledger.texts("missed").length, 200);
    assert.ok(bench.ledger.gapSeconds > 0);
  });

  it("begins anew over the same adapter when Discord ends it live, and not within five seconds of its last login", async () => {
    await using clock = new FakeClock();
    const loginsMs: number[] = [];
    await using test = await startBench({}, ({ sessions }) => {
      const { onStep } = sessions;
      sessions.onStep = (step) => {
        if (step === "identify") loginsMs.push(Date.now());
        onStep(step);
      };
    });
    const { discord, bench } = test;
    await bench.hear("before");
    discord.sessions.invalidate();
    // At the machine's own pace: a hurried clock would be over its deadlines before a socket is open.
    for (let look = 0; look < 40 && discord.connections.total < 2; look += 1)
      await clock.advanceUntil(() => discord.connections.total === 2, 0);
    assert.ok(await clock.advanceUntil(() => loginsMs.length === 2, 10), "it never identifies again");
    const [first = 0, second = 0] = loginsMs;
    assert.ok(second - first >= 5_000, `${second - first} ms between two logins`);
    await bench.hear("after");
    assert.equal(bench.generation, 1);
  });

  it("outlives frames that its library cannot handle", async () => {
    for (const frame of ['{"op":9,"d":null}', '{"op":10,"d":null}', '{"op":0,"t":"READY","s":1,"d":null}']) {
      await using test = await startBench();
      const { discord, bench, steps } = test;
      await bench.hear("before");
      discord.sessions.sendRaw(frame);
      await steps.first((step) => step.startsWith("resume"), `a new connection after ${frame}`);
      await bench.hear("after");
      assert.equal(bench.generation, 1, frame);
    }
  });

  it("ends for good on a refused intent, saying what to switch on", async () => {
    const error = await failedStart(({ sessions }) => {
      sessions.behavior.hasMessageContent = false;
    });
    assert.equal(error.code, "forbidden");
    assert.match(error.userAction ?? "", /privileged intents/u);
    assert.equal(error.retry.kind, "never");
  });

  it("says what each fatal close code means", async () => {
    for (const [code, wanted] of [
      [4004, "unauthorized"],
      [4011, "forbidden"],
      [4013, "forbidden"],
    ] as const) {
      const error = await failedStart(({ sessions }) => sessions.behavior.closeOnIdentify.push(code));
      assert.equal(error.code, wanted);
      assert.ok((error.userAction ?? "").length > 10);
    }
  });

  it("goes on after close codes that another connection can mend", async () => {
    for (const code of [4000, 4007, 4008, 4009]) {
      const discord = await DiscordPlatform.start();
      await using _discord = discord;
      discord.sessions.behavior.closeOnIdentify.push(code);
      await using clock = new FakeClock();
      await using bench = new AdapterBench(discord);
      const outcome = await clock.outcomeOf(bench.start(), 20, "the end of start");
      assert.equal(outcome.kind, "resolved", `close code ${code}`);
    }
  });

  it("never identifies once the day's logins are used up", async () => {
    const discord = await DiscordPlatform.start();
    await using _discord = discord;
    const { context } = adapterContext({ settings: discord.settings });
    const refusal = new GatewayError("rate_limited", "Cannot connect: the logins are used up", {
      retry: { kind: "after", delayMs: 3_600_000 },
    });
    const budget = {
      acquire: async () => {
        throw refusal;
      },
    };
    await assert.rejects(discordModule.start({ ...context, budget }), refusal);
    await turns(100);
    assert.deepEqual(discord.sessions.log, []);
    await discord.allSocketsClosed();
  });

  it("asks for its logins by name, and not for resuming", async () => {
    const discord = await DiscordPlatform.start();
    await using _discord = discord;
    const asked: string[] = [];
    const { context } = adapterContext({ settings: discord.settings });
    const budget = {
      acquire: async (kind: string) => {
        asked.push(kind);
      },
    };
    const first = await discordModule.start({ ...context, budget });
    await first.stop();
    await turns(20);
    const second = await discordModule.start({ ...context, budget });
    await second.stop();
    assert.deepEqual(asked, ["identify"]);
  });

  it("waits until Discord itself grants logins again", async () => {
    const error = await failedStart(({ sessions }) => {
      sessions.behavior.identifiesLeft = 0;
    });
    assert.equal(error.code, "rate_limited");
    assert.deepEqual(error.retry, { kind: "after", delayMs: 14_400_000 });
  });

  it("bounds a server that refuses every resume and says to try again", async () => {
    await using test = await startBench();
    const { discord, bench, steps } = test;
    await bench.hear("before");
    await bench.stop();
    discord.sessions.behavior.resumeAnswer = true;
    await assert.rejects(bench.start());
    assert.ok(steps.items.filter((step) => step.startsWith("resume")).length <= 5, steps.items.join(", "));
  });

  it("settles its start when a RESUME is never answered", async () => {
    await using clock = new FakeClock();
    await using test = await startBench();
    const { discord, bench } = test;
    await bench.hear("before");
    await bench.stop();
    discord.sessions.behavior.resumeAnswer = "silence";
    const outcome = await clock.outcomeOf(bench.start(), 20, "the end of start");
    assert.equal(outcome.kind, "rejected");
  });
});

async function heard(bench: AdapterBench, discord: DiscordPlatform, text: string, conversation: string) {
  await discord.say({ text, conversation, senderId: conversation.slice(3) });
  return bench.ledger.acceptedText(text);
}

async function failedStart(prepare: (discord: DiscordPlatform) => void): Promise<GatewayError> {
  const discord = await DiscordPlatform.start();
  await using _discord = discord;
  prepare(discord);
  await using bench = new AdapterBench(discord);
  const failure = await bench.start().then(
    () => null,
    (reason: unknown) => GatewayError.from(reason),
  );
  assert.ok(failure !== null, "start resolved");
  await discord.allSocketsClosed();
  return failure;
}
