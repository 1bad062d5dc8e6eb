import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { fakeTime, many, startFlow, TestConsumer, tick } from "../support/flow-fixture.ts";

describe("Line", () => {
  it("gives back without counting, at once the first time and later the next", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(1));
    consumer.line.release([consumer.take().receipt], { countAttempt: false, error: null });
    await settled();
    assert.deepEqual(
      consumer.held.map(({ attempt, redelivered }) => ({ attempt, redelivered })),
      [{ attempt: 1, redelivered: true }],
    );
    consumer.line.release([consumer.take().receipt], { countAttempt: false, error: null });
    await settled();
    assert.equal(consumer.held.length, 0);
    await tick(t, 250);
    assert.equal(consumer.take().attempt, 1);
  });

  it("counts an attempt when the consumer may be what failed", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow, { maxAttempts: 2 });
    await send("webhook", many(1));
    const error = new GatewayError("worker_crashed", "Cannot handle: its host died").toReport();
    consumer.line.release([consumer.take().receipt], { countAttempt: true, error });
    await tick(t, 1000);
    assert.equal(consumer.held[0]?.attempt, 2);
    consumer.line.release([consumer.take().receipt], { countAttempt: true, error });
    await settled();
    assert.equal(journal.rows.get(1)?.state, "dead");
  });

  it("tells a consumer what is over its time, and takes it back when it is not given up", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow, { timeoutMs: 1000 });
    await send("webhook", [...many(1, "a", "1"), ...many(1, "b", "2")]);
    await tick(t, 999);
    assert.deepEqual(consumer.expired, []);
    await tick(t, 1);
    const receipts = consumer.got.map(({ receipt }) => receipt);
    assert.deepEqual(consumer.expired, receipts);
    assert.equal(consumer.line.extend(receipts[0] ?? "", 1000), false);
    void consumer.answer();
    await tick(t, 9_999);
    assert.equal(consumer.line.inFlight, 1);
    await tick(t, 1);
    assert.equal(consumer.line.inFlight, 0);
    assert.deepEqual([journal.rows.get(1)?.state, journal.rows.get(2)?.attempt], ["acked", 2]);
  });

  it("moves a deadline that the consumer extends", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow, { timeoutMs: 1000 });
    await send("webhook", many(1));
    const receipt = consumer.got[0]?.receipt ?? "";
    await tick(t, 900);
    assert.equal(consumer.line.extend(receipt, 5000), true);
    await tick(t, 4999);
    assert.deepEqual(consumer.expired, []);
    assert.equal(consumer.line.extend(receipt, 10), true);
    await tick(t, 10);
    assert.deepEqual(consumer.expired, [receipt]);
  });

  it("uses one timer for all leases", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 500 });
    const started = t.mock.method(globalThis, "setTimeout");
    for (let frame = 0; frame < 5; frame += 1) {
      const messages = Array.from({ length: 50 }, (_, index) => ({
        id: `${frame}-${index}`,
        conversation: `c${frame}-${index}`,
      }));
      await send("webhook", messages);
      await consumer.ackAll();
    }
    assert.equal(started.mock.callCount(), 1);
  });

  it("survives a port that throws", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    consumer.onDeliver = () => {
      consumer.onDeliver = () => {};
      consumer.held.length = 0;
      throw new Error("the host is gone");
    };
    await send("webhook", many(1));
    await settled();
    assert.equal(consumer.held.length, 1);
  });

  it("detaches when all is settled, and gives nothing new meanwhile", async () => {
    const { send, flow } = await startFlow();
    const old = new TestConsumer(flow, { concurrency: 1 });
    await send("webhook", [...many(1, "a", "1"), ...many(1, "b", "2")]);
    let isDetached = false;
    const detached = old.line.detach(1000).finally(() => {
      isDetached = true;
    });
    const next = new TestConsumer(flow);
    await settled();
    assert.deepEqual([old.texts, next.texts, isDetached], [["text of a1"], ["text of b1"], false]);
    void old.answer();
    await detached;
  });

  it("gives back what is not settled at a detach's deadline, uncounted", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const old = new TestConsumer(flow);
    await send("webhook", many(1));
    const detached = old.line.detach(1000);
    await tick(t, 1000);
    await detached;
    const next = new TestConsumer(flow);
    await settled();
    assert.deepEqual(
      next.held.map(({ attempt, redelivered }) => ({ attempt, redelivered })),
      [{ attempt: 1, redelivered: true }],
    );
    void old.answer();
    await settled();
    assert.equal(next.line.inFlight, 1);
  });

  it("gives to another what was on its way to a consumer that detached", async () => {
    const { send, flow, journal } = await startFlow();
    const old = new TestConsumer(flow);
    journal.hold();
    void send("webhook", many(1));
    await settled();
    const detached = old.line.detach(1000);
    await journal.resume();
    await detached;
    const next = new TestConsumer(flow);
    await settled();
    assert.deepEqual([old.texts, next.texts], [[], ["text of 1"]]);
  });

  it("keeps the messages of a consumer that is not attached", async () => {
    const { send, flow } = await startFlow();
    assert.equal(await send("webhook", many(3)), null);
    assert.deepEqual(flow.counts().consumers["main"], { inFlight: 0, pending: 3, dead: 0 });
    const consumer = new TestConsumer(flow);
    assert.equal(consumer.got.length, 0);
    await settled();
    assert.equal(consumer.got.length, 1);
  });
});
