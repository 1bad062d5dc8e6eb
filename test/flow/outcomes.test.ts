import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Settlement } from "../../src/contract/delivery.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { fakeTime, many, messageId, startFlow, TestConsumer, tick } from "../support/flow-fixture.ts";

const nack = (delayMs: number | null = 0): Settlement["outcome"] => ({ kind: "nack", delayMs, error: null });
const ack = { kind: "ack" } as const;

describe("Outcomes", () => {
  it("never delivers a message again whose ack was committed", async () => {
    const first = await startFlow();
    const consumer = new TestConsumer(first.flow);
    await first.send("webhook", many(2));
    await consumer.answer();
    const second = await startFlow({ journal: first.journal.reopen() });
    const next = new TestConsumer(second.flow);
    await settled();
    assert.deepEqual(next.texts, ["text of 2"]);
    assert.deepEqual(
      next.got.map(({ redelivered, attempt }) => ({ redelivered, attempt })),
      [{ redelivered: true, attempt: 1 }],
    );
  });

  it("resolves a settlement when it is on disk", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    journal.hold();
    let isResolved = false;
    void consumer.answer().finally(() => {
      isResolved = true;
    });
    await settled();
    assert.equal(isResolved, false);
    await journal.finish();
    assert.equal(isResolved, true);
  });

  it("holds a lane behind a nacked head until it is handled", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", [...many(2, "a", "1"), ...many(1, "b", "2")]);
    void consumer.answer(nack(5000));
    await consumer.ackAll();
    await tick(t, 4999);
    assert.equal(consumer.held.length, 0);
    await tick(t, 1);
    assert.deepEqual(consumer.texts, ["text of a1", "text of b1", "text of a1"]);
    assert.equal(consumer.got[2]?.attempt, 2);
    assert.equal(consumer.got[2]?.redelivered, true);
    await consumer.answer();
    assert.equal(consumer.texts.at(-1), "text of a2");
  });

  it("waits longer with each attempt when the consumer names no delay", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow({ random: () => 1 - Number.EPSILON });
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    for (const [attempt, delayMs] of [
      [2, 1000],
      [3, 2000],
      [4, 4000],
    ] as const) {
      await consumer.answer(nack(null));
      assert.equal(journal.rows.get(1)?.attempt, attempt);
      assert.equal(journal.rows.get(1)?.notBeforeMs, Date.now() + delayMs);
      await tick(t, delayMs);
      assert.equal(consumer.held.length, 1);
    }
  });

  it("buries a message after max_attempts and goes on with its lane", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow, { maxAttempts: 3 });
    await send("webhook", many(2));
    const error = new GatewayError("timeout", "Cannot handle: too slow").toReport();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      assert.equal(consumer.held[0]?.attempt, attempt);
      await consumer.answer({ kind: "nack", delayMs: 10, error });
      await tick(t, 10);
    }
    const row = journal.rows.get(1);
    assert.equal(row?.state, "dead");
    assert.match(row?.reason ?? "", /attempt 3: Cannot handle: too slow/);
    assert.equal(row?.error?.code, "timeout");
    assert.equal(row?.attempt, 3);
    assert.equal(consumer.texts.at(-1), "text of 2");
    assert.deepEqual(flow.counts().keys["webhook"]?.dead, 1);
    assert.deepEqual(flow.counts().consumers["main"], { inFlight: 1, pending: 0, dead: 1 });
  });

  it("buries what is rejected at once", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(2));
    await consumer.answer({ kind: "reject", reason: "not for us" });
    assert.deepEqual([journal.rows.get(1)?.state, journal.rows.get(1)?.reason], ["dead", "not for us"]);
    assert.equal(consumer.texts.at(-1), "text of 2");
  });

  it("does nothing on a late answer to an earlier attempt", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(2));
    const first = consumer.take();
    await consumer.line.settle([{ receipt: first.receipt, outcome: nack(0), reply: null }]);
    await settled();
    assert.equal(consumer.got.length, 2);
    await consumer.line.settle([{ receipt: first.receipt, outcome: ack, reply: null }]);
    assert.equal(consumer.line.extend(first.receipt, 1000), false);
    assert.equal(consumer.line.lookup(first.receipt), null);
    assert.equal(journal.rows.get(1)?.state, "pending");
    assert.deepEqual(consumer.texts, ["text of 1", "text of 1"]);
  });

  it("does nothing on a receipt of an earlier life of the gateway", async () => {
    const first = await startFlow({ random: () => 0.1 });
    const before = new TestConsumer(first.flow);
    await first.send("webhook", many(1));
    const second = await startFlow({ journal: first.journal.reopen(), random: () => 0.2 });
    const after = new TestConsumer(second.flow);
    await settled();
    await after.line.settle([{ receipt: before.take().receipt, outcome: ack, reply: null }]);
    assert.equal(second.journal.rows.get(1)?.state, "pending");
    assert.equal(after.line.inFlight, 1);
  });

  it("answers twice once", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    const { receipt } = consumer.take();
    const settlement = { receipt, outcome: ack, reply: { index: 0, response: new Uint8Array(1) } };
    await consumer.line.settle([settlement, settlement]);
    await consumer.line.settle([settlement]);
    assert.deepEqual(
      journal.commits.flat().map(({ op }) => op),
      ["accept", "send", "ack"],
    );
  });

  it("writes a reply and its ack in one transaction", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    await consumer.answer(ack, { index: 0, response: new Uint8Array(1) });
    assert.deepEqual(
      journal.commits.at(-1)?.map(({ op }) => op),
      ["send", "ack"],
    );
    assert.deepEqual([...journal.sends.keys()], [`${messageId(1)}/0`]);
  });

  it("does not send a redelivered handler's reply twice", async () => {
    const first = await startFlow();
    const before = new TestConsumer(first.flow);
    await first.send("webhook", many(1));
    await first.journal.commit([]);
    first.journal.hold();
    void before.answer(nack(0), { index: 0, response: new Uint8Array(1) });
    await settled();
    const second = await startFlow({ journal: first.journal.reopen({ isLastApplied: true }) });
    const after = new TestConsumer(second.flow);
    await settled();
    await after.answer(ack, { index: 0, response: new Uint8Array(1) });
    assert.equal(second.journal.sends.size, 1);
    assert.equal(second.journal.rows.get(1)?.state, "acked");
  });

  it("tells the reply writer what its writes came to", async () => {
    const results: unknown[] = [];
    const { send, flow } = await startFlow({
      replies: {
        reply: () => ({
          writes: [{ op: "put", scope: "t", key: "k", value: "v" }],
          written: (list) => results.push(...list),
        }),
      },
    });
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    await consumer.answer(ack, { index: 0, response: new Uint8Array(1) });
    assert.deepEqual(results, [{ duplicate: false, existingId: null }]);
  });

  it("does not ack a message whose reply could not be written down", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow({
      replies: {
        reply: () => {
          throw new GatewayError("unsupported_response", "Cannot reply: no such kind");
        },
      },
    });
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    await consumer.answer(ack, { index: 0, response: new Uint8Array(1) });
    assert.deepEqual(
      [journal.rows.get(1)?.state, journal.rows.get(1)?.error?.code],
      ["pending", "unsupported_response"],
    );
  });

  it("keeps an ack that the journal cannot take until it can", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(2));
    journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
    const acked = consumer.answer();
    await tick(t, 1000);
    assert.equal(consumer.got.length, 1);
    journal.fail(null);
    await tick(t, 1000);
    await acked;
    assert.equal(journal.rows.get(1)?.state, "acked");
    assert.deepEqual(consumer.texts, ["text of 1", "text of 2"]);
  });
});
