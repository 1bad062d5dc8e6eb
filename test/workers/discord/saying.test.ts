/** What consumers say, as Discord shows it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { ResponseInput } from "../../../src/contract/response.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { startBench } from "./bench.ts";

describe("a Discord adapter that speaks", () => {
  it("says it once however often it is sent, even by a later generation", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("say it");
    await bench.answer(heard, "said once", "the-key");
    await bench.answer(heard, "said once", "the-key");
    await bench.respawn();
    await bench.answer(heard, "said once", "the-key");
    assert.equal(discord.shown.filter(({ text }) => text === "said once").length, 1);
  });

  it("answers to the message it answers, and never notifies everyone", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("say it");
    await bench.answer(heard, "@everyone hello");
    const { raw } = await bench.shown(({ text }) => text.endsWith("hello"), "the answer");
    const fields = raw as Readonly<Record<string, unknown>>;
    assert.deepEqual(fields["message_reference"], { message_id: heard.id, fail_if_not_exists: false });
    assert.deepEqual(fields["allowed_mentions"], { parse: ["users"], replied_user: false });
    assert.equal(fields["enforce_nonce"], true);
    discord.world.remove(discord.world.mainChannel, heard.id);
    await bench.answer(heard, "to a message that is gone");
    await bench.shown(({ text }) => text === "to a message that is gone", "it");
  });

  it("opens a direct conversation when it is first written to, once", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    await Promise.all([bench.send("dm:42", "one"), bench.send("dm:42", "two")]);
    await bench.send("dm:42", "three");
    assert.deepEqual(
      discord.shown.map(({ conversation }) => conversation),
      ["dm:42", "dm:42", "dm:42"],
    );
    assert.equal(discord.rest.requests.filter((each) => each === "POST /users/@me/channels").length, 1);
  });

  it("says a rich message's parts on the last of its messages", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("show me");
    await bench.answer(heard, {
      kind: "rich_message",
      text: `${"word ".repeat(500)}end`,
      cards: [{ title: "A card", footer: "small print", timestamp: "2026-01-01T00:00:00Z", color: 255 }],
      poll: { question: "Which?", answers: ["a", "b"] },
    });
    const posts = discord.shown.filter(({ kind }) => kind === "message");
    assert.equal(posts.length, 2);
    const [first, last] = posts.map(({ raw }) => raw as Readonly<Record<string, unknown>>);
    assert.equal(first?.["embeds"], undefined);
    assert.deepEqual(last?.["embeds"], [
      { title: "A card", color: 255, footer: { text: "small print" }, timestamp: "2026-01-01T00:00:00.000Z" },
    ]);
    assert.ok(last?.["poll"] !== undefined);
  });

  const wrongParts: readonly (readonly [title: string, field: string, response: ResponseInput])[] = [
    ["too many cards", "cards", rich({ cards: Array.from({ length: 11 }, () => ({ title: "x" })) })],
    ["a long title", "cards[0].title", rich({ cards: [{ title: "x".repeat(257) }] })],
    ["an empty field", "cards[0].fields[0].value", rich({ cards: [{ fields: [{ name: "a", value: "" }] }] })],
    ["a bad timestamp", "cards[0].timestamp", rich({ cards: [{ title: "x", timestamp: "yesterday" }] })],
    ["a link to nowhere", "interactiveElements[0].buttons[0].url", buttons([{ label: "go", style: "link" }])],
    [
      "a script as a link",
      "interactiveElements[0].buttons[0].url",
      buttons([{ label: "go", style: "link", url: "javascript:1" }]),
    ],
    ["six buttons", "interactiveElements[0].buttons", buttons(Array.from({ length: 6 }, () => ({ label: "b" })))],
    [
      "the same id twice",
      "interactiveElements[0]",
      buttons([
        { label: "a", customId: "x" },
        { label: "b", customId: "x" },
      ]),
    ],
    ["one poll answer", "poll.answers", rich({ poll: { question: "Which?", answers: ["a"] } })],
    [
      "a year-long poll",
      "poll.durationHours",
      rich({ poll: { question: "Q", answers: ["a", "b"], durationHours: 9_000 } }),
    ],
    [
      "a strange emoji",
      "interactiveElements[0].options[0].emoji",
      select({ label: "a", value: "1", emoji: "no emoji" }),
    ],
  ];
  for (const [title, field, response] of wrongParts)
    it(`refuses ${title} by name, and posts nothing`, async () => {
      await using test = await startBench();
      const { discord, bench } = test;
      await assert.rejects(bench.send(discord.world.mainChannel, response), (reason: unknown) => {
        const error = GatewayError.from(reason);
        assert.equal(error.code, "invalid_request");
        assert.equal(error.retry.kind, "never");
        assert.ok(error.message.includes(`${field} `), error.message);
        return true;
      });
      assert.deepEqual(discord.shown, []);
    });

  it("refuses a text that shows nothing", async () => {
    await using test = await startBench();
    const { bench, discord } = test;
    await assert.rejects(bench.send(discord.world.mainChannel, " \n"), { code: "message_rejected" });
  });

  it("refuses an emoji nobody knows by name, and takes one by its name", async () => {
    await using test = await startBench();
    const { bench } = test;
    const heard = await bench.hear("react");
    await assert.rejects(bench.answer(heard, { kind: "reaction", emoji: "no_such_emoji" }), {
      code: "message_rejected",
    });
    await bench.answer(heard, { kind: "reaction", emoji: ":tada:" });
    await bench.answer(heard, { kind: "reaction", emoji: "<:party:123>" });
    const shown = await bench.shown(({ text }) => text === "party:123", "the custom one");
    assert.equal(shown.messageId, heard.id);
  });

  it("opens a thread under the message it answers, once", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("a long story");
    const response = { kind: "thread_reply", threadName: "story ".repeat(30), text: "once upon a time" } as const;
    await bench.answer(heard, response, "key-1");
    await bench.respawn();
    await bench.answer(heard, { ...response, text: "and then" }, "key-2");
    const threads = discord.shown.filter(({ kind }) => kind === "thread");
    assert.equal(threads.length, 1);
    for (const text of ["once upon a time", "and then"])
      assert.equal((await bench.shown((item) => item.text === text, text)).conversation, heard.id);
  });

  it("says a thread's reply as a message where there can be no thread", async () => {
    await using test = await startBench();
    const { bench, discord } = test;
    await discord.say({ text: "direct", conversation: "dm:42", senderId: "42" });
    const heard = await bench.ledger.acceptedText("direct");
    await bench.answer(heard, { kind: "thread_reply", threadName: "side", text: "here then" });
    const shown = await bench.shown(({ text }) => text === "here then", "it");
    assert.equal(shown.conversation, "dm:42");
  });

  it("edits a stream at most once a second", async () => {
    await using clock = new FakeClock();
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("slowly");
    await bench.answer(heard, { kind: "stream_start" });
    for (let index = 0; index < 20; index += 1) {
      await bench.answer(heard, { kind: "stream_chunk", text: `word ${index}` });
      await clock.advance(0.25);
    }
    const edits = discord.shown.filter(({ kind }) => kind === "edit").length;
    assert.ok(edits >= 2 && edits <= 6, `${edits} edits in five seconds`);
  });

  it("shows each part of a long stream's end once, also when it is sent again half-way", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("at length");
    const parts = ["a", "b", "c"].map((letter) => `${letter.repeat(1_900)}.`);
    const end = { kind: "stream_end", text: parts.join("\n") } as const;
    await bench.answer(heard, { kind: "stream_start" }, "start");
    const second = bench.shown(({ text }) => text === parts[1], "the second part");
    const ending = bench.answer(heard, end, "end");
    ending.catch(() => {});
    await second;
    discord.setFault("send", { kind: "server_error", status: 503, times: 1 });
    await assert.rejects(ending, { code: "platform_unavailable" });
    await bench.answer(heard, end, "end");
    const shown = discord.shown.map(({ text }) => text);
    for (const part of parts) assert.equal(shown.filter((text) => text === part).length, 1, part.slice(0, 1));
  });

  it("types until it has answered", async () => {
    await using clock = new FakeClock();
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("think");
    const typed = (): number => discord.rest.requests.filter((each) => each.endsWith("/typing")).length;
    const { conversation, replyTo = null } = heard;
    await bench.running.setStatus?.({ conversation, status: { kind: "thinking" }, replyTo });
    await bench.running.setStatus?.({ conversation, status: { kind: "tool_started", toolName: "x" }, replyTo });
    assert.ok(await clock.advanceUntil(() => typed() >= 3, 20), `${typed()} times`);
    await bench.answer(heard, "thought");
    const before = typed();
    await clock.advance(20);
    assert.equal(typed(), before);
  });

  it("ends for good when a send meets a refused token, and says so every time", async () => {
    await using test = await startBench();
    const { discord, bench } = test;
    const heard = await bench.hear("speak");
    discord.setFault("send", { kind: "bad_credentials" });
    const { running } = bench;
    await assert.rejects(bench.answer(heard, "one"), { code: "unauthorized" });
    await assert.rejects(running.closed ?? Promise.resolve(), { code: "unauthorized" });
    await assert.rejects(bench.answer(heard, "two"), { code: "unauthorized" });
  });
});

function rich(parts: Readonly<Record<string, unknown>>): ResponseInput {
  return { kind: "rich_message", text: "look", ...parts };
}

function buttons(list: readonly Readonly<Record<string, unknown>>[]): ResponseInput {
  return rich({ interactiveElements: [{ kind: "buttons", buttons: list }] });
}

function select(option: Readonly<Record<string, unknown>>): ResponseInput {
  return rich({ interactiveElements: [{ kind: "select", customId: "s", options: [option] }] });
}
