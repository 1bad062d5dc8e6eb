import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { parseResponse } from "../../src/contract/response.ts";
import { OutboxRig, replyRequest, textOf } from "../support/outbox-rig.ts";
import { turns } from "../support/turns.ts";
import { mockTime } from "../support/mocked-time.ts";

describe("Outbox, for a pull adapter", () => {
  it("puts a reply into the mailbox in its message's own transaction, with one write", async () => {
    const rig = new OutboxRig();
    const writes = await rig.settle("m1", "web", "hi");
    assert.deepEqual(
      writes.map(({ op }) => op),
      ["mail"],
    );
    assert.deepEqual(await rig.mailOnDisk(), ["hi"]);
    assert.deepEqual(
      rig.mail.map(({ cursor, response }) => [cursor, textOf(response)]),
      [[rig.journal.opened.nextCursor, "hi"]],
    );
    assert.equal(rig.outbox.sentCount("web"), 1);
  });

  it("tells nobody of mail before it is on disk", () => {
    const rig = new OutboxRig();
    rig.outbox.reply(replyRequest("m1", "web", "hi", 0));
    assert.deepEqual(rig.mail, []);
  });

  it("says an early reply once, however often its handler runs", async () => {
    const rig = new OutboxRig();
    await rig.replyNow("m1", "web", "working");
    await rig.replyNow("m1", "web", "working", true);
    await rig.replyNow("m1", "web", "working again", true);
    assert.deepEqual(await rig.mailOnDisk(), ["working"]);
    assert.equal(rig.mail.length, 1);
  });

  it("says a repeated handler's reply when the first run did not come to it", async () => {
    const rig = new OutboxRig();
    await rig.replyNow("m1", "web", "late", true);
    assert.deepEqual(await rig.mailOnDisk(), ["late"]);
    assert.equal((await rig.outbox.report((await rig.send("web", "x")).id)).state, "confirmed");
  });

  it("completes after a restart what a crash left between row and mail, once", async () => {
    const before = new OutboxRig();
    before.journal.hold();
    void before.replyNow("m1", "web", "late", true);
    await turns();
    before.journal.release(1);
    await turns();
    const after = new OutboxRig(before.journal.restarted());
    assert.deepEqual(await after.mailOnDisk(), []);
    after.outbox.adapterRunning("web");
    after.outbox.adapterRunning("web");
    await turns();
    assert.deepEqual(await after.mailOnDisk(), ["late"]);
    await after.replyNow("m1", "web", "late", true);
    assert.deepEqual(await after.mailOnDisk(), ["late"]);
  });

  it("does not take its own unfinished reply for a left-over", async () => {
    const rig = new OutboxRig();
    rig.journal.hold();
    const reply = rig.replyNow("m1", "web", "hi", true);
    await turns();
    rig.journal.release(1);
    rig.outbox.adapterRunning("web");
    await turns();
    rig.journal.release();
    await reply;
    await turns();
    assert.deepEqual(await rig.mailOnDisk(), ["hi"]);
  });

  it("lets no early reply overtake a reply that waits for its ack", async () => {
    const rig = new OutboxRig();
    const reply = rig.outbox.reply(replyRequest("m1", "web", "first", 0));
    const second = rig.replyNow("m2", "web", "second");
    await turns();
    assert.deepEqual(await rig.mailOnDisk(), []);
    reply.written(await rig.journal.commit(reply.writes));
    await second;
    assert.deepEqual(await rig.mailOnDisk(), ["first", "second"]);
    assert.deepEqual(
      rig.mail.map(({ response }) => textOf(response)),
      ["first", "second"],
    );
  });

  it("stores what a client cannot show as the text that says it", async () => {
    const rig = new OutboxRig();
    await rig.settle("m1", "web", { kind: "thread_reply", threadName: "t", text: "in a thread" });
    assert.deepEqual(await rig.mailOnDisk(), ["in a thread"]);
  });

  it("shows a reply that it cannot say as failed, and lets its message be acked", async () => {
    const rig = new OutboxRig();
    const writes = await rig.settle("m1", "web", { kind: "reaction", emoji: "👍" });
    const [send] = writes;
    assert.ok(send?.op === "send");
    const report = await rig.outbox.report(send.send.id);
    assert.equal(report.state, "failed");
    assert.equal(report.error?.code, "unsupported_response");
    assert.deepEqual(await rig.mailOnDisk(), []);
  });

  it("tells a handler at once that its reply cannot be said", async () => {
    const rig = new OutboxRig();
    await assert.rejects(rig.replyNow("m1", "web", { kind: "reaction", emoji: "👍" }), {
      code: "unsupported_response",
    });
  });

  it("tells a handler that its reply was not taken when the journal is down", async () => {
    const rig = new OutboxRig();
    rig.journal.fail(new GatewayError("journal_unavailable", "no disk"));
    await assert.rejects(rig.replyNow("m1", "web", "x"), { code: "journal_unavailable" });
    rig.journal.fail(null);
    await rig.replyNow("m1", "web", "x", true);
    assert.deepEqual(await rig.mailOnDisk(), ["x"]);
  });
});

describe("Outbox, for an adapter that is pushed to", () => {
  it("sends a reply once it is on disk, and confirms it with the platform's id", async () => {
    const rig = new OutboxRig();
    const [write] = await rig.settle("m1", "chat", "hi");
    await turns();
    assert.ok(write?.op === "send");
    assert.equal(rig.adapters.calls[0]?.args["idempotencyKey"], "m1/0");
    assert.deepEqual(await rig.outbox.report(write.send.id), {
      id: write.send.id,
      state: "confirmed",
      receipt: { platformMessageId: "p1" },
      error: null,
    });
    assert.equal(rig.outbox.sentCount("chat"), 1);
  });

  it("does not send a redelivered handler's reply twice", async () => {
    const rig = new OutboxRig();
    await rig.replyNow("m1", "chat", "hi");
    await rig.settle("m1", "chat", "hi");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["hi"]);
  });

  it("does not take a group that is written again for a repetition", async () => {
    const rig = new OutboxRig();
    const reply = rig.outbox.reply(replyRequest("m1", "chat", "hi", 0));
    await rig.journal.commit(reply.writes);
    const [write] = reply.writes;
    assert.ok(write?.op === "send");
    reply.written([{ duplicate: true, existingId: write.send.id }]);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["hi"]);
  });

  it("sends what came while it was reading what was there", async () => {
    const rig = new OutboxRig();
    const answer = rig.journal.holdAnswers();
    rig.outbox.adapterRunning("chat");
    await turns();
    await rig.send("chat", "meanwhile");
    answer();
    await turns();
    assert.deepEqual(rig.adapters.texts, ["meanwhile"]);
  });

  it("answers a repeated send with the first one's id and state", async () => {
    const rig = new OutboxRig();
    const first = await rig.send("chat", "hi", "k1");
    await turns();
    assert.deepEqual(await rig.send("chat", "hi", "k1"), { id: first.id, state: "confirmed" });
    assert.deepEqual(rig.adapters.texts, ["hi"]);
  });

  it("keeps the order within a conversation while others go on", async () => {
    const rig = new OutboxRig();
    rig.adapters.answer = undefined;
    await rig.send("chat", "a1", null, "a");
    await rig.send("chat", "a2", null, "a");
    await rig.send("chat", "b1", null, "b");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a1", "b1"]);
    rig.adapters.calls[0]?.resolve({});
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a1", "b1", "a2"]);
  });

  it("tries again after the time that the server asked for, the rest of the conversation waiting", async (t) => {
    mockTime(t);
    const rig = new OutboxRig();
    const limited = new GatewayError("rate_limited", "slow down", { retry: { kind: "after", delayMs: 5000 } });
    rig.adapters.answer = () => Promise.reject(limited);
    const { id } = await rig.send("chat", "one");
    await rig.send("chat", "two");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["one"]);
    assert.equal((await rig.outbox.report(id)).state, "queued");
    rig.adapters.answer = () => ({});
    t.mock.timers.tick(4999);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["one"]);
    t.mock.timers.tick(1);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["one", "one", "two"]);
  });

  it("waits for an adapter that does not run, and goes on when it does", async () => {
    const rig = new OutboxRig();
    rig.adapters.stopped.add("chat");
    await rig.send("chat", "one");
    await turns();
    assert.deepEqual(rig.adapters.texts, []);
    rig.adapters.stopped.clear();
    rig.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["one"]);
  });

  it("sends after a restart what was queued before, in order and once", async () => {
    const before = new OutboxRig();
    before.adapters.stopped.add("chat");
    for (let number = 0; number < 450; number += 1) await before.send("chat", `t${number}`);
    const after = new OutboxRig(before.journal.restarted());
    const all = Promise.withResolvers<void>();
    after.adapters.answer = () => {
      if (after.adapters.calls.length === 451) all.resolve();
      return {};
    };
    after.outbox.adapterRunning("chat");
    await after.send("chat", "new");
    await all.promise;
    assert.deepEqual(after.adapters.texts, [...Array.from({ length: 450 }, (_value, number) => `t${number}`), "new"]);
  });

  it("keeps no more in memory than fits, and forgets nothing", async () => {
    const rig = new OutboxRig();
    rig.adapters.answer = undefined;
    const wanted = 1500;
    for (let number = 0; number < wanted; number += 1) await rig.send("chat", `t${number}`);
    await turns();
    const all = Promise.withResolvers<void>();
    rig.adapters.answer = () => {
      if (rig.adapters.calls.length === wanted) all.resolve();
      return {};
    };
    rig.adapters.calls[0]?.resolve({});
    await all.promise;
    assert.deepEqual(
      rig.adapters.texts,
      Array.from({ length: wanted }, (_value, number) => `t${number}`),
    );
  });

  it("does not repeat a send whose outcome a crash has hidden, and says so", async () => {
    const before = new OutboxRig();
    before.adapters.answer = undefined;
    const { id } = await before.send("chat", "one");
    await before.send("chat", "two");
    await turns();
    const after = new OutboxRig(before.journal.restarted());
    after.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(after.adapters.texts, ["two"]);
    const report = await after.outbox.report(id);
    assert.equal(report.state, "unknown");
    assert.equal(report.error?.code, "worker_crashed");
  });

  it("does not repeat a send that the adapter's death cut off", async () => {
    const rig = new OutboxRig();
    rig.adapters.answer = () => Promise.reject(new GatewayError("worker_crashed", "gone"));
    const { id } = await rig.send("chat", "one");
    await turns();
    assert.equal(rig.adapters.calls.length, 1);
    assert.equal((await rig.outbox.report(id)).state, "unknown");
  });

  it("waits no longer than a send was to when the clock was put back meanwhile", async (t) => {
    mockTime(t, 7_200_000);
    const before = new OutboxRig();
    const retry = { kind: "after", delayMs: 5_000 } as const;
    before.adapters.answer = () => Promise.reject(new GatewayError("rate_limited", "slow down", { retry }));
    await before.send("chat", "one");
    await turns();
    t.mock.timers.setTime(0);
    const after = new OutboxRig(before.journal.restarted());
    after.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(after.adapters.texts, []);
    t.mock.timers.tick(5_000);
    await turns();
    assert.deepEqual(after.adapters.texts, ["one"]);
  });

  it("has an attempt on disk before it is made", async () => {
    const rig = new OutboxRig();
    rig.adapters.answer = undefined;
    rig.adapters.stopped.add("chat");
    const { id } = await rig.send("chat", "one");
    rig.journal.hold();
    rig.adapters.stopped.clear();
    rig.outbox.adapterRunning("chat");
    await turns();
    assert.equal(rig.adapters.calls.length, 0);
    rig.journal.release();
    await turns();
    assert.equal((await rig.outbox.report(id)).state, "attempted");
    assert.equal(rig.adapters.calls.length, 1);
  });

  it("fails what the platform refuses for good, and goes on with the next", async () => {
    const rig = new OutboxRig();
    rig.adapters.answer = ({ args }) =>
      (args["response"] as { text: string }).text === "bad"
        ? Promise.reject(new GatewayError("message_rejected", "too rude"))
        : {};
    const { id } = await rig.send("chat", "bad");
    await rig.send("chat", "good");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["bad", "good"]);
    assert.equal((await rig.outbox.report(id)).error?.message, "too rude");
  });

  it("sends the fallback of what the adapter does not show", async () => {
    const rig = new OutboxRig();
    const response = parseResponse({ kind: "file", filename: "a.txt", data: "YQ==" });
    await rig.outbox.send({ key: "chat", conversation: "room", response, idempotencyKey: null });
    await turns();
    assert.deepEqual(rig.adapters.texts, ["[file: a.txt]"]);
  });

  it("confirms the start of a stream without a call where only its end is shown", async () => {
    const rig = new OutboxRig();
    rig.adapters.capabilitiesOf = { text: "native" };
    const start = {
      key: "chat",
      conversation: "room",
      response: { kind: "stream_start" as const },
      idempotencyKey: null,
    };
    const { id } = await rig.outbox.send(start);
    await turns();
    assert.equal((await rig.outbox.report(id)).state, "confirmed");
    assert.equal(rig.adapters.calls.length, 0);
  });

  it("keeps the last text of a stream whose end brings none", async () => {
    const rig = new OutboxRig();
    rig.adapters.stopped.add("chat");
    const place = { key: "chat", conversation: "room" };
    rig.outbox.streamChunk({ ...place, response: { kind: "stream_chunk", text: "all so far" } });
    await rig.outbox.send({ ...place, response: { kind: "stream_end", text: "" }, idempotencyKey: null });
    rig.adapters.stopped.clear();
    rig.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["all so far"]);
  });

  it("flushes what is on its way, and no longer than its deadline", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const rig = new OutboxRig();
    rig.adapters.answer = undefined;
    await rig.send("chat", "one");
    await turns();
    const first = rig.outbox.drain(1000);
    t.mock.timers.tick(1000);
    await first;
    const second = rig.outbox.drain(1000);
    rig.adapters.calls[0]?.resolve({});
    await second;
    assert.equal(rig.outbox.sentCount("chat"), 1);
  });

  it("starts nothing once it is disposed, twice over", async () => {
    const rig = new OutboxRig();
    await rig.outbox[Symbol.asyncDispose]();
    await rig.outbox[Symbol.asyncDispose]();
    await rig.send("chat", "one");
    await turns();
    assert.equal(rig.adapters.calls.length, 0);
  });

  it("does not know a send that nobody made", async () => {
    await assert.rejects(new OutboxRig().outbox.report("s0"), { code: "not_found" });
  });
});
