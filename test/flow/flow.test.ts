import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { fakeTime, many, startFlow, TestConsumer, tick } from "../support/flow-fixture.ts";

describe("Flow", () => {
  it("counts by adapter and by consumer where every message is", async () => {
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 2 });
    await send("webhook", [...many(3, "a", "1"), ...many(1, "b", "2")]);
    await send("slack", many(2, "s"));
    await consumer.answer({ kind: "reject", reason: "no" });
    flow.noteLost("slack", 7);
    const { keys, consumers } = flow.counts();
    const { pending, leased, dead, in: received } = keys["webhook"] ?? {};
    assert.deepEqual({ pending, leased, dead, received }, { pending: 2, leased: 1, dead: 1, received: 4 });
    assert.deepEqual([keys["slack"]?.pending, keys["slack"]?.leased, keys["slack"]?.lost], [1, 1, 7]);
    assert.deepEqual(consumers, {
      main: { inFlight: 2, pending: 3, dead: 1 },
      other: { inFlight: 0, pending: 0, dead: 0 },
    });
  });

  it("measures from arrival to commit and to hand-over, once for each fetch", async () => {
    let nowMs = 1000;
    const { send, flow, journal } = await startFlow({ now: () => nowMs });
    const consumer = new TestConsumer(flow, { concurrency: 1 });
    journal.hold();
    const sent = send("webhook", many(2));
    await settled();
    nowMs += 5;
    await journal.resume();
    await sent;
    nowMs += 10;
    await consumer.ackAll();
    assert.deepEqual(flow.drainLatencies(), { accept: [5], delivery: [5, 15] });
    assert.deepEqual(flow.drainLatencies(), { accept: [], delivery: [] });
  });

  it("drains what is with consumers and hands out nothing more", async () => {
    const { send, flow, journal } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", many(2));
    flow.stopIntake();
    const drained = flow.drain(1000);
    await settled();
    void consumer.answer();
    assert.equal(await drained, 0);
    assert.deepEqual(
      [...journal.rows.values()].map(({ state, leased }) => [state, leased]),
      [
        ["acked", true],
        ["pending", false],
      ],
    );
    assert.equal(consumer.got.length, 1);
  });

  it("says at a drain's deadline how many are still out", async (t) => {
    fakeTime(t);
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", [...many(1, "a", "1"), ...many(1, "b", "2")]);
    const drained = flow.drain(1000);
    void consumer.answer();
    await tick(t, 1000);
    assert.equal(await drained, 1);
  });

  it("ends with an outcome still unwritten, twice over, and the message comes again", async (t) => {
    fakeTime(t);
    const first = await startFlow();
    const consumer = new TestConsumer(first.flow);
    await first.send("webhook", many(1));
    first.journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
    const acked = consumer.answer();
    await settled();
    await first.flow[Symbol.asyncDispose]();
    await first.flow[Symbol.asyncDispose]();
    await assert.rejects(acked, { code: "journal_unavailable" });
    const second = await startFlow({ journal: first.journal.reopen() });
    const after = new TestConsumer(second.flow);
    await settled();
    assert.deepEqual(
      after.held.map(({ attempt, redelivered }) => [attempt, redelivered]),
      [[1, true]],
    );
  });

  it("does not start over a journal that cannot be read", async () => {
    const { journal } = await startFlow();
    journal.fail(new GatewayError("journal_unavailable", "Cannot read: no disk"));
    await assert.rejects(startFlow({ journal }), { code: "journal_unavailable" });
  });
});
