import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Delivery } from "../../src/contract/delivery.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { binding, fakeTime, many, routerSpec, startFlow, TestConsumer, tick } from "../support/flow-fixture.ts";

describe("FlowDispatcher order", () => {
  it("delivers a lane in order, one message at a time", async () => {
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(5));
    for (let expected = 1; expected <= 5; expected += 1) {
      assert.equal(consumer.got.length, expected);
      void consumer.answer();
      await settled();
    }
    assert.deepEqual(consumer.texts, ["text of 1", "text of 2", "text of 3", "text of 4", "text of 5"]);
    assert.deepEqual(flow.counts().consumers["main"], { inFlight: 0, pending: 0, dead: 0 });
  });

  it("delivers other lanes while one is slow", async () => {
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 2 });
    await send("webhook", [...many(2, "slow", "a"), ...many(3, "fast", "b")]);
    const slow = consumer.held.shift();
    for (let count = 0; count < 3; count += 1) {
      await consumer.ackAll();
      await settled();
    }
    assert.deepEqual(consumer.texts, ["text of slow1", "text of fast1", "text of fast2", "text of fast3"]);
    assert.ok(slow !== undefined && consumer.line.lookup(slow.receipt) !== null);
  });

  it("delivers to other consumers while one takes nothing", async () => {
    const router = routerSpec({ bindings: [binding({ chatId: "1", consumer: "other" })] });
    const { send, flow } = await startFlow({ router });
    const stuck = new TestConsumer(flow, { concurrency: 1 });
    const quick = new TestConsumer(flow, { name: "other" });
    await send("webhook", [...many(20, "m", "a"), { id: "o", conversation: "b", routing: { chatId: "1" } }]);
    await settled();
    assert.equal(stuck.got.length, 1);
    assert.deepEqual(quick.texts, ["text of o"]);
  });

  it("advances a lane when its ack is received, the next lease in the ack's transaction", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(2));
    journal.hold();
    const acked = consumer.answer();
    await journal.finish();
    await acked;
    assert.deepEqual(
      journal.commits.at(-1)?.map(({ op }) => op),
      ["ack", "lease"],
    );
    assert.equal(consumer.got.length, 2);
  });

  it("hands out nothing whose lease is not on disk", async () => {
    const { send, flow, journal } = await startFlow();
    await send("webhook", many(1));
    journal.hold();
    const consumer = new TestConsumer(flow);
    await settled();
    assert.equal(consumer.got.length, 0);
    await journal.finish();
    assert.equal(consumer.got.length, 1);
    assert.equal(journal.rows.get(1)?.leased, true);
  });

  it("leases in the transaction that accepts, where the consumer has room", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 2 });
    await send("webhook", [...many(2, "a", "1"), ...many(2, "b", "2"), ...many(2, "c", "3")]);
    assert.equal(journal.commits.length, 1);
    assert.deepEqual(
      [...journal.rows.values()].map(({ leased }) => leased),
      [true, false, true, false, false, false],
    );
    assert.deepEqual(consumer.batches, [2]);
  });

  it("never has more out than the consumer's concurrency", async () => {
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 3 });
    await send(
      "webhook",
      Array.from({ length: 10 }, (_, index) => ({ id: index, conversation: `c${index}` })),
    );
    while (consumer.held.length > 0) {
      assert.ok(consumer.line.inFlight <= 3 && consumer.held.length <= 3);
      void consumer.answer();
      await settled();
    }
    assert.equal(consumer.got.length, 10);
  });

  it("looks again after a consumer raised its limit and settled nothing", async () => {
    const { send, flow } = await startFlow();
    const limits = { concurrency: 0, timeoutMs: 1000, maxAttempts: 5 };
    const got: number[] = [];
    const line = flow.dispatcher.attach(
      { name: "main", deliver: (list) => got.push(list.length), expire: () => {} },
      limits,
    );
    await send("webhook", [...many(1, "a", "1"), ...many(1, "b", "2")]);
    assert.deepEqual(got, []);
    limits.concurrency = 2;
    await line.settle([]);
    await settled();
    assert.deepEqual(got, [2]);
  });
});

describe("FlowDispatcher places", () => {
  it("does not let a new message pass those that wait for room", async () => {
    const { send, flow } = await startFlow();
    const limits = { concurrency: 0, timeoutMs: 1000, maxAttempts: 5 };
    const got: string[] = [];
    const deliver = (list: readonly Delivery[]): void => list.forEach(({ conversation }) => got.push(conversation));
    flow.dispatcher.attach({ name: "main", deliver, expire: () => {} }, limits);
    await send("webhook", many(1, "a", "waiting"));
    limits.concurrency = 1;
    await send("webhook", many(1, "b", "new"));
    await settled();
    assert.deepEqual(got, ["waiting"]);
  });

  it("gives the place of a message that was not accepted to one that waits", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 1 });
    await send("webhook", many(1, "a", "1"));
    await consumer.answer({ kind: "nack", delayMs: 10, error: null });
    journal.hold();
    const refused = send("webhook", many(1, "b", "2"));
    await settled();
    await tick(t, 10);
    journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
    await journal.finish(1);
    journal.fail(null);
    await journal.resume();
    assert.equal((await refused)?.code, "journal_unavailable");
    assert.deepEqual(consumer.texts, ["text of a1", "text of a1"]);
  });
});

describe("FlowDispatcher fairness", () => {
  it("takes turns between adapters, whatever one of them has waiting", async () => {
    const { send, flow } = await startFlow();
    const flood = Array.from({ length: 200 }, (_, index) => ({ id: `f${index}`, conversation: `c${index}` }));
    await send("flood", flood);
    await send("quiet", [...many(1, "q", "1"), ...many(1, "r", "2"), ...many(1, "s", "3")]);
    const consumer = new TestConsumer(flow, { concurrency: 1 });
    await settled();
    for (let turn = 0; turn < 5; turn += 1) {
      void consumer.answer();
      await settled();
    }
    const keys = consumer.got.map(({ key }) => key);
    assert.deepEqual(keys, ["flood", "quiet", "flood", "quiet", "flood", "quiet"]);
  });

  it("takes turns between the lanes of an adapter", async () => {
    const { send, flow } = await startFlow();
    await send("webhook", [...many(5, "a", "1"), ...many(2, "b", "2")]);
    const consumer = new TestConsumer(flow, { concurrency: 1 });
    await settled();
    for (let turn = 0; turn < 3; turn += 1) {
      void consumer.answer();
      await settled();
    }
    assert.deepEqual(consumer.texts, ["text of a1", "text of b1", "text of a2", "text of b2"]);
  });

  it("shares one consumer's messages among those attached under its name", async () => {
    const { send, flow } = await startFlow();
    const first = new TestConsumer(flow, { concurrency: 2 });
    const second = new TestConsumer(flow, { concurrency: 2 });
    await send(
      "webhook",
      Array.from({ length: 4 }, (_, index) => ({ id: index, conversation: `c${index}` })),
    );
    assert.deepEqual([first.got.length, second.got.length], [2, 2]);
  });
});
