import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryMailbox } from "../../support/adapter-context.ts";
import { Polls, type PollAnswer } from "../../../workers/webhook/polls.ts";

function setUp(maxHeld = 10): {
  mailbox: MemoryMailbox;
  polls: Polls;
  readonly poll: (options?: {
    after?: number | null;
    waitMs?: number;
    signal?: AbortSignal;
    conversation?: string;
  }) => Promise<PollAnswer>;
} {
  const mailbox = new MemoryMailbox();
  const polls = new Polls(mailbox, { maxHeld });
  return {
    mailbox,
    polls,
    poll: ({ after = null, waitMs = 0, signal = new AbortController().signal, conversation = "c" } = {}) =>
      polls.poll({ conversation, after, waitMs, signal }),
  };
}

function contents(answer: PollAnswer): readonly string[] {
  return answer.messages.map(({ content }) => content);
}

describe("Polls", () => {
  it("without a cursor, takes what is there, once", async () => {
    const { mailbox, poll } = setUp();
    mailbox.put("c", "one");
    mailbox.put("other", "not this");
    mailbox.put("c", "two");
    const answer = await poll();
    assert.deepEqual(contents(answer), ["one", "two"]);
    assert.equal(answer.cursor, 3);
    answer.settle(true);
    assert.deepEqual(mailbox.waiting("c"), []);
    assert.deepEqual(contents(await poll()), []);
    assert.equal(mailbox.waiting("other").length, 1);
  });

  it("without a cursor, removes nothing when the answer did not get through", async () => {
    const { mailbox, poll } = setUp();
    mailbox.put("c", "one");
    (await poll()).settle(false);
    assert.equal(mailbox.waiting("c").length, 1);
    assert.deepEqual(contents(await poll()), ["one"]);
  });

  it("without a cursor, gives the next poll what did not get through, while another one waits", async () => {
    const { mailbox, poll } = setUp();
    mailbox.put("c", "one");
    const lost = await poll();
    const leaving = new AbortController();
    const held = poll({ waitMs: 60_000, signal: leaving.signal });
    lost.settle(false);
    assert.deepEqual(contents(await poll()), ["one"]);
    leaving.abort();
    await held;
  });

  it("without a cursor, gives two polls at once different messages", async () => {
    const { mailbox, poll } = setUp();
    mailbox.put("c", "one");
    const answers = await Promise.all([poll(), poll()]);
    assert.deepEqual(answers.flatMap(contents), ["one"]);
    const held = [poll({ waitMs: 60_000 }), poll({ waitMs: 60_000 })];
    mailbox.put("c", "two");
    assert.deepEqual(contents(await Promise.race(held)), ["two"]);
    mailbox.put("c", "three");
    const both = await Promise.all(held);
    assert.deepEqual(both.flatMap(contents).toSorted(), ["three", "two"]);
  });

  it("with a cursor, removes up to it and repeats what is after it", async () => {
    const { mailbox, poll } = setUp();
    mailbox.put("c", "one");
    mailbox.put("c", "two");
    assert.deepEqual(contents(await poll({ after: 0 })), ["one", "two"]);
    assert.deepEqual(contents(await poll({ after: 0 })), ["one", "two"]);
    const answer = await poll({ after: 1 });
    assert.deepEqual(contents(answer), ["two"]);
    assert.equal(answer.cursor, 2);
    assert.deepEqual(
      mailbox.waiting("c").map(({ cursor }) => cursor),
      [2],
    );
    const last = await poll({ after: 2 });
    assert.deepEqual([last.messages, last.cursor], [[], 2]);
    assert.deepEqual(mailbox.waiting("c"), []);
  });

  it("holds until something comes", async () => {
    const { mailbox, poll } = setUp();
    const answer = poll({ after: 0, waitMs: 60_000 });
    mailbox.put("c", "late");
    assert.deepEqual(contents(await answer), ["late"]);
  });

  it("answers with nothing when the wait is over", async () => {
    const { poll } = setUp();
    const answer = await poll({ after: 7, waitMs: 1 });
    assert.deepEqual([answer.messages, answer.cursor], [[], 7]);
  });

  it("does not leave a read behind in the gateway for every poll that went away", async () => {
    const { mailbox, poll } = setUp();
    for (let round = 0; round < 5; round += 1) {
      const gone = new AbortController();
      const answer = poll({ after: 0, waitMs: 60_000, signal: gone.signal });
      gone.abort();
      assert.deepEqual((await answer).messages, []);
    }
    assert.equal(mailbox.held, 1);
    const next = poll({ after: 0, waitMs: 60_000 });
    mailbox.put("c", "for whoever is left");
    assert.deepEqual(contents(await next), ["for whoever is left"]);
  });

  it("shows a stream's text so far, at once, and to a held poll once per change", async () => {
    const { mailbox, polls, poll } = setUp();
    const held = poll({ after: 0, waitMs: 60_000 });
    const start = mailbox.put("c", { kind: "stream_start" });
    assert.deepEqual((await held).messages, [{ cursor: start, type: "stream_start", content: "" }]);
    const second = poll({ after: start, waitMs: 60_000 });
    polls.putChunk("c", "so");
    assert.deepEqual((await second).messages, [{ cursor: start, type: "stream_chunk", content: "so" }]);
    assert.deepEqual(contents(await poll({ after: start })), ["so"]);
    const third = await poll({ after: start, waitMs: 1 });
    assert.deepEqual([third.messages, third.cursor], [[], start]);
    polls.putChunk("c", "so far");
    assert.deepEqual(contents(await poll({ after: start, waitMs: 60_000 })), ["so far"]);
    const end = mailbox.put("c", { kind: "stream_end", text: "so far so good" });
    const last = await poll({ after: start });
    assert.deepEqual(last.messages, [{ cursor: end, type: "stream_end", content: "so far so good" }]);
    assert.deepEqual((await poll({ after: end })).messages, []);
  });

  it("answers held polls when it stops, and holds none after", async () => {
    const { polls, poll } = setUp();
    const held = poll({ after: 3, waitMs: 60_000 });
    polls.stop();
    assert.deepEqual((await held).messages, []);
    assert.deepEqual((await poll({ after: 3, waitMs: 60_000 })).messages, []);
  });

  it("refuses to hold too many, and has room again when they are answered", async () => {
    const { mailbox, poll } = setUp(1);
    const held = poll({ waitMs: 60_000 });
    await assert.rejects(poll({ waitMs: 60_000, conversation: "d" }), { code: "queue_full" });
    await poll({ conversation: "d" });
    mailbox.put("c", "x");
    (await held).settle(true);
    mailbox.put("c", "y");
    assert.deepEqual(contents(await poll({ waitMs: 60_000 })), ["y"]);
  });

  it("rejects with the mailbox's error and goes on when it is over", async () => {
    const { mailbox, poll } = setUp();
    mailbox.failure = new Error("no journal");
    await assert.rejects(poll(), /no journal/u);
    await assert.rejects(poll({ waitMs: 60_000 }), /no journal/u);
    mailbox.failure = null;
    mailbox.put("c", "x");
    assert.deepEqual(contents(await poll({ waitMs: 60_000 })), ["x"]);
  });
});
