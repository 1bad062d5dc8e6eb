import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled } from "../support/fake-journal.ts";
import { many, messageId, startFlow, TestConsumer } from "../support/flow-fixture.ts";

/** A flow with so many dead letters of one lane. */
async function withDead(count: number) {
  const started = await startFlow();
  const consumer = new TestConsumer(started.flow, { maxAttempts: 1 });
  await started.send("webhook", many(count));
  for (let index = 0; index < count; index += 1) {
    void consumer.answer({ kind: "reject", reason: `reason ${index + 1}` });
    await settled();
  }
  return { ...started, consumer };
}

describe("DeadLetters", () => {
  it("lists them with their reasons and shows one with its payload", async () => {
    const { flow } = await withDead(3);
    const page = await flow.deadLetters.list({ afterSeq: 1, limit: 1 });
    assert.deepEqual(
      page.map(({ id, reason }) => [id, reason]),
      [[messageId(2), "reason 2"]],
    );
    const shown = await flow.deadLetters.get(messageId(3));
    assert.equal(Buffer.from(shown?.payload ?? []).toString(), "text of 3");
    assert.equal(await flow.deadLetters.get(messageId(9)), null);
  });

  it("delivers one again from attempt 1", async () => {
    const { flow, consumer, journal } = await withDead(2);
    await flow.deadLetters.retry(messageId(1));
    await settled();
    assert.deepEqual(
      consumer.held.map(({ id, attempt }) => [id, attempt]),
      [[messageId(1), 1]],
    );
    await consumer.ackAll();
    assert.equal(journal.rows.get(1)?.state, "acked");
    assert.deepEqual(flow.counts().keys["webhook"]?.dead, 1);
  });

  it("delivers one once however often it is asked for at the same time", async () => {
    const { flow, consumer } = await withDead(1);
    const results = await Promise.allSettled([1, 2, 3].map(() => flow.deadLetters.retry(messageId(1))));
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected"],
    );
    await settled();
    await consumer.ackAll();
    await settled();
    assert.equal(consumer.held.length, 0);
  });

  it("puts one back into its lane behind what is out, before what is newer", async () => {
    const { flow, consumer, send } = await withDead(1);
    await send("webhook", many(2, "n"));
    await flow.deadLetters.retry(messageId(1));
    for (let index = 0; index < 3; index += 1) {
      void consumer.answer();
      await settled();
    }
    assert.deepEqual(consumer.texts.slice(1), ["text of n1", "text of 1", "text of n2"]);
  });

  it("retries all in order, more than one page of them", async () => {
    const { flow, consumer } = await withDead(230);
    assert.equal(await flow.deadLetters.retryAll(), 230);
    const before = consumer.got.length - consumer.held.length;
    await settled();
    while (consumer.held.length > 0) {
      await consumer.ackAll();
      await settled();
    }
    assert.deepEqual(
      consumer.texts.slice(before),
      many(230).map(({ id }) => `text of ${id}`),
    );
    assert.deepEqual(flow.conditions(), []);
  });

  it("drops one for good and gives its bytes back", async () => {
    const { flow, journal } = await withDead(1);
    assert.equal(flow.counts().keys["webhook"]?.unackedBytes, "text of 1".length);
    await flow.deadLetters.drop(messageId(1));
    assert.equal(journal.rows.get(1)?.state, "gone");
    assert.equal(flow.counts().keys["webhook"]?.unackedBytes, 0);
    await assert.rejects(flow.deadLetters.drop(messageId(1)), { code: "not_found" });
    await assert.rejects(flow.deadLetters.retry(messageId(1)), { code: "not_found" });
  });

  it("shows a condition with their number, over a restart too", async () => {
    const { flow, journal } = await withDead(2);
    assert.deepEqual(
      flow.conditions().map(({ code, message }) => [code, message]),
      [["dead_letters", "2 dead letters"]],
    );
    const second = await startFlow({ journal: journal.reopen() });
    assert.deepEqual(
      second.flow.conditions().map(({ message }) => message),
      ["2 dead letters"],
    );
    assert.deepEqual(second.flow.counts().consumers["main"], { inFlight: 0, pending: 0, dead: 2 });
  });
});
