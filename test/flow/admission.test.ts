import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled } from "../support/fake-journal.ts";
import { startFlow, TestConsumer } from "../support/flow-fixture.ts";

const sized = (id: string, bytes: number) => [{ id, conversation: id, text: "x".repeat(bytes) }];

describe("Admission", () => {
  it("refuses everyone once the unacked bytes reach max_bytes, with a time to come back", async () => {
    const { send, flow } = await startFlow({ maxBytes: () => 1000 });
    assert.equal(await send("a", sized("1", 500)), null);
    assert.equal(await send("b", sized("2", 500)), null);
    const error = await send("c", sized("3", 1));
    assert.equal(error?.code, "queue_full");
    assert.deepEqual(error?.retry, { kind: "after", delayMs: 5000 });
    assert.deepEqual(
      flow.conditions().map(({ code, key }) => ({ code, key })),
      [{ code: "journal_full", key: null }],
    );
  });

  it("refuses only the adapter that holds more than half", async () => {
    const { send, flow } = await startFlow({ maxBytes: () => 1000 });
    assert.equal(await send("a", sized("1", 501)), null);
    assert.equal((await send("a", sized("2", 1)))?.code, "queue_full");
    assert.equal(await send("b", sized("3", 100)), null);
    assert.deepEqual(
      flow.conditions().map(({ code, key }) => ({ code, key })),
      [{ code: "journal_full", key: "a" }],
    );
  });

  it("says that all of it is full also where each adapter has more than its half", async () => {
    const { send, flow } = await startFlow({ maxBytes: () => 1000 });
    for (const key of ["a", "b"]) assert.equal(await send(key, sized(key, 501)), null);
    for (const key of ["a", "b"]) assert.equal((await send(key, sized(`${key}2`, 1)))?.code, "queue_full");
    assert.deepEqual(
      flow
        .conditions()
        .map(({ key }) => key ?? "whole")
        .toSorted(),
      ["a", "b", "whole"],
    );
  });

  it("counts what waits for the journal, so that a burst does not pass before it is on disk", async () => {
    const { send, journal } = await startFlow({ maxBytes: () => 1000 });
    journal.hold();
    const first = send("a", sized("1", 600));
    assert.equal((await send("a", sized("2", 1)))?.code, "queue_full");
    await journal.resume();
    assert.equal(await first, null);
  });

  it("takes again what is acked, and forgets the condition", async () => {
    const { send, flow } = await startFlow({ maxBytes: () => 1000 });
    await send("a", sized("1", 600));
    assert.equal((await send("a", sized("2", 1)))?.code, "queue_full");
    const consumer = new TestConsumer(flow);
    await settled();
    await consumer.ackAll();
    assert.deepEqual(flow.conditions(), []);
    assert.equal(await send("a", sized("2", 1)), null);
  });

  it("keeps count over a restart", async () => {
    const first = await startFlow({ maxBytes: () => 1000 });
    await first.send("a", sized("1", 600));
    const second = await startFlow({ maxBytes: () => 1000, journal: first.journal.reopen() });
    assert.equal((await second.send("a", sized("2", 1)))?.code, "queue_full");
  });
});
