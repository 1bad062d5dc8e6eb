import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { JournalWrite } from "../../src/contract/journal.ts";
import { OutcomeWriter } from "../../src/flow/outcome-writer.ts";
import { FakeJournal, settled } from "../support/fake-journal.ts";
import { silentLogger } from "../support/silent-logger.ts";

const ack = (seq: number): JournalWrite => ({ op: "ack", seq, atMs: 0 });

function start(journal: FakeJournal) {
  const writer = new OutcomeWriter(journal, silentLogger);
  const log: string[] = [];
  const add = (name: string, ...writes: JournalWrite[]): void =>
    writer.add({
      writes,
      written: (results) => log.push(`${name} written ${results.length}`),
      failed: (error) => log.push(`${name} failed ${error.code}`),
    });
  return { writer, log, add };
}

describe("OutcomeWriter", () => {
  it("puts one tick's outcomes, and all that come while one is written, into one transaction", async () => {
    const journal = new FakeJournal();
    journal.hold();
    const { add, log } = start(journal);
    add("a", ack(1));
    add("b", ack(2), ack(3));
    await settled();
    add("c", ack(4));
    add("d", ack(5));
    await settled();
    assert.equal(journal.waiting, 1);
    await journal.resume();
    assert.deepEqual(journal.commits, [
      [ack(1), ack(2), ack(3)],
      [ack(4), ack(5)],
    ]);
    assert.deepEqual(log, ["a written 1", "b written 2", "c written 1", "d written 1"]);
  });

  it("writes again until the journal is back, and in the same order", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const journal = new FakeJournal();
    journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
    const { add, log } = start(journal);
    add("a", ack(1));
    await settled();
    add("b", ack(2));
    for (let turn = 0; turn < 3; turn += 1) {
      t.mock.timers.tick(250);
      await settled();
    }
    assert.deepEqual(log, []);
    journal.fail(null);
    t.mock.timers.tick(250);
    await settled();
    assert.deepEqual(log, ["a written 1", "b written 1"]);
    assert.deepEqual(journal.commits, [[ack(1)], [ack(2)]]);
  });

  it("does not let one bad write hold back the others", async () => {
    const journal = new FakeJournal();
    const commit = journal.commit.bind(journal);
    journal.commit = (writes) =>
      writes.some((write) => write.op === "ack" && write.seq === 2)
        ? Promise.reject(new GatewayError("internal", "Cannot write: a constraint"))
        : commit(writes);
    const { add, log } = start(journal);
    add("a", ack(1));
    add("b", ack(2));
    add("c", ack(3));
    await settled();
    assert.deepEqual(log, ["a written 1", "b failed internal", "c written 1"]);
  });

  it("announces a unit without writes in its turn, without a transaction", async () => {
    const journal = new FakeJournal();
    const { add, log } = start(journal);
    add("a");
    assert.deepEqual(log, []);
    await settled();
    assert.deepEqual(log, ["a written 0"]);
    assert.equal(journal.commits.length, 0);
  });

  it("survives a follower that throws", async () => {
    const journal = new FakeJournal();
    const { writer, add, log } = start(journal);
    writer.add({
      writes: [ack(1)],
      written: () => {
        throw new Error("follower");
      },
      failed: () => {},
    });
    add("b", ack(2));
    await settled();
    assert.deepEqual(log, ["b written 1"]);
  });

  it("tells who still waits when it is disposed, twice over", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const journal = new FakeJournal();
    journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
    const { writer, add, log } = start(journal);
    add("a", ack(1));
    await settled();
    add("b", ack(2));
    await writer[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
    add("c", ack(3));
    await settled();
    assert.deepEqual(log, [
      "a failed journal_unavailable",
      "b failed journal_unavailable",
      "c failed journal_unavailable",
    ]);
  });
});
