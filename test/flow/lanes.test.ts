import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { PendingRow } from "../../src/contract/journal-query.ts";
import { entryOf, type Entry } from "../../src/flow/entry.ts";
import type { Lane } from "../../src/flow/lane.ts";
import { laneLimits, type LaneLimits } from "../../src/flow/lane-limits.ts";
import { Lanes } from "../../src/flow/lanes.ts";
import { payloadMemoryLimit } from "../../src/flow/payload-memory.ts";
import { DiskTables } from "../support/fake-journal-tables.ts";
import { FakeJournal, settled } from "../support/fake-journal.ts";
import { fakeTime, messageId, tick } from "../support/flow-fixture.ts";
import { silentLogger } from "../support/silent-logger.ts";

function entry(seq: number, change: Partial<Entry> = {}): Entry {
  const row: PendingRow = {
    seq,
    id: messageId(seq),
    key: "webhook",
    conversation: "room",
    consumer: "main",
    attempt: 1,
    notBeforeMs: 0,
    leased: false,
    bytes: 10,
    atMs: 0,
  };
  return { ...entryOf(row), payload: new Uint8Array(10), ...change };
}

/** Lanes whose messages are on the fake disk too. */
function start(limits: LaneLimits = laneLimits) {
  const tables = new DiskTables();
  const journal = new FakeJournal(tables);
  const heads: number[] = [];
  /** Done, and not yet so on disk. */
  const unwritten: number[] = [];
  const lanes = new Lanes({
    journal,
    settled: async () => {
      tables.apply(unwritten.splice(0).map((seq) => ({ op: "ack", seq, atMs: 0 })));
    },
    limits,
    onHead: (lane) => {
      lane.state = "ready";
      heads.push(lane.entries[0]?.seq ?? -1);
    },
    onRead: () => {},
    logger: silentLogger,
    now: () => Date.now(),
  });
  const store = (one: Entry): void => {
    const { seq, id, key, conversation, consumer } = one;
    const payload = new Uint8Array(one.bytes);
    tables.apply([
      { op: "accept", seq, id, key, conversation, consumer, header: "{}", payload, atMs: 0, leased: false },
    ]);
  };
  const accept = (one: Entry): void => {
    store(one);
    lanes.append(one);
  };
  const lane = (): Lane => {
    const found = lanes.find("webhook", "room");
    assert.ok(found !== undefined);
    return found;
  };
  /** The head is done, on disk too. */
  const finish = async (): Promise<number> => {
    const own = lane();
    const seq = own.entries[0]?.seq ?? -1;
    tables.apply([{ op: "ack", seq, atMs: 0 }]);
    lanes.advance(own);
    await settled();
    return seq;
  };
  /** The head of a conversation is done, and on disk that comes later. */
  const answer = (conversation: string): number => {
    const own = lanes.find("webhook", conversation);
    const seq = own?.entries[0]?.seq;
    assert.ok(own !== undefined && seq !== undefined, `nothing of ${conversation} is there to be answered`);
    unwritten.push(seq);
    lanes.advance(own);
    return seq;
  };
  /** Answers heads, the oldest lane first, until nothing is left. Their conversations and numbers. */
  const answerAll = async (conversations: readonly string[]): Promise<string[]> => {
    const done: string[] = [];
    for (let conversation = held(); conversation !== undefined; conversation = held()) {
      done.push(`${conversation}${answer(conversation)}`);
      await settled();
    }
    return done;
    function held(): string | undefined {
      return conversations.find((name) => lanes.find("webhook", name)?.entries[0] !== undefined);
    }
  };
  return { lanes, journal, heads, unwritten, store, accept, lane, finish, answer, answerAll };
}

describe("Lanes", () => {
  it("keeps at most 64 of a lane of 10,000 in memory, and still delivers all in order", async () => {
    const { lanes, accept, lane, finish } = start();
    for (let seq = 1; seq <= 10_000; seq += 1) accept(entry(seq));
    const seqs: number[] = [];
    while (lanes.find("webhook", "room") !== undefined) {
      assert.ok(lane().entries.length <= laneLimits.perLane);
      seqs.push(await finish());
    }
    assert.deepEqual(
      seqs,
      Array.from({ length: 10_000 }, (_, index) => index + 1),
    );
    assert.equal(lanes.payloads.bytes, 0);
  });

  it("removes a lane with nothing left", async () => {
    const { lanes, accept, finish } = start();
    accept(entry(1));
    await finish();
    assert.equal(lanes.find("webhook", "room"), undefined);
  });

  it("does not take twice what reading ahead found before its commit was announced", async () => {
    const { accept, store, lanes, lane, finish } = start();
    for (let seq = 1; seq <= 70; seq += 1) accept(entry(seq));
    store(entry(71));
    for (let count = 0; count < 60; count += 1) await finish();
    assert.equal(lane().entries.at(-1)?.seq, 71);
    lanes.append(entry(71));
    accept(entry(72));
    assert.deepEqual(
      lane()
        .entries.slice(-3)
        .map(({ seq }) => seq),
      [70, 71, 72],
    );
  });

  it("keeps in order what is accepted while it reads", async () => {
    const { accept, lanes, lane, finish } = start();
    for (let seq = 1; seq <= 100; seq += 1) accept(entry(seq));
    let next = 101;
    const seqs: number[] = [];
    while (lanes.find("webhook", "room") !== undefined) {
      const reading = finish();
      if (next <= 300) accept(entry(next++));
      if (next <= 300) accept(entry(next++));
      seqs.push(await reading);
      assert.ok(lanes.find("webhook", "room") === undefined || lane().entries.length <= laneLimits.perLane);
    }
    assert.deepEqual(
      seqs,
      Array.from({ length: 300 }, (_, index) => index + 1),
    );
  });

  it("reads again a second later when the journal could not", async (t) => {
    fakeTime(t);
    const { accept, journal, lane, finish, heads } = start();
    for (let seq = 1; seq <= 66; seq += 1) accept(entry(seq));
    journal.fail(new GatewayError("journal_unavailable", "Cannot read: no disk"));
    for (let count = 0; count < 64; count += 1) await finish();
    assert.equal(lane().entries.length, 0);
    journal.fail(null);
    await tick(t, 1000);
    assert.deepEqual(
      lane().entries.map(({ seq }) => seq),
      [65, 66],
    );
    assert.equal(heads.at(-1), 65);
  });

  it("reads nothing more for a lane that was finished while it waited to read again", async (t) => {
    fakeTime(t);
    const { accept, journal, lanes, finish } = start();
    for (let seq = 1; seq <= 65; seq += 1) accept(entry(seq));
    journal.fail(new GatewayError("journal_unavailable", "Cannot read: no disk"));
    for (let count = 0; count < 50; count += 1) await finish();
    journal.fail(null);
    for (let count = 0; count < 15; count += 1) await finish();
    assert.equal(lanes.find("webhook", "room"), undefined);
    accept(entry(66));
    const asked = journal.asked.length;
    await tick(t, 1000);
    assert.equal(journal.asked.length, asked);
  });

  it("ends a lane whose last messages are no longer on disk", async () => {
    const { accept, journal, lanes, finish } = start();
    for (let seq = 1; seq <= 66; seq += 1) accept(entry(seq));
    await journal.commit([65, 66].map((seq) => ({ op: "ack", seq, atMs: 0 })));
    for (let count = 0; count < 64; count += 1) await finish();
    assert.equal(lanes.find("webhook", "room"), undefined);
  });

  it("reads once more when an older message displaced one while it read", async () => {
    const { accept, lanes, finish, store, lane, journal } = start();
    for (let seq = 11; seq <= 100; seq += 1) accept(entry(seq));
    const seqs: number[] = [];
    for (let count = 0; count < 48; count += 1) seqs.push(await finish());
    assert.equal(lane().isReading, false);
    const head = lane().entries[0]?.seq ?? -1;
    await journal.commit([{ op: "ack", seq: head, atMs: 0 }]);
    lanes.advance(lane());
    seqs.push(head);
    assert.equal(lane().isReading, true);
    for (let seq = 1; seq <= 5; seq += 1) {
      store(entry(seq));
      lanes.insert(entry(seq));
    }
    // Those inserted fill the lane to its limit, so that its newest goes back to disk while the answer is on its way.
    for (let count = 0; lane().entries.length < laneLimits.perLane; count += 1) {
      store(entry(-count));
      lanes.insert(entry(-count));
    }
    store(entry(6));
    lanes.insert(entry(6));
    await settled();
    while (lanes.find("webhook", "room") !== undefined) seqs.push(await finish());
    const normal = seqs.filter((seq) => seq > 10);
    assert.deepEqual(
      normal,
      Array.from({ length: 90 }, (_, index) => index + 11),
    );
  });

  it("puts an older message before the newer ones, but never before the head", () => {
    const { accept, lanes, lane, store } = start();
    for (const seq of [10, 20, 30]) accept(entry(seq));
    for (const seq of [5, 25, 40]) {
      store(entry(seq));
      lanes.insert(entry(seq));
    }
    assert.deepEqual(
      lane().entries.map(({ seq }) => seq),
      [10, 5, 20, 25, 30, 40],
    );
    lanes.insert(entry(25));
    assert.equal(lane().entries.length, 6);
  });

  it("makes room for an older message in a full lane, and reads the displaced one back", async () => {
    const { accept, lanes, lane, finish, store } = start();
    for (let seq = 11; seq <= 90; seq += 1) accept(entry(seq));
    store(entry(5));
    lanes.insert(entry(5));
    assert.equal(lane().entries.length, laneLimits.perLane);
    const seqs: number[] = [];
    while (lanes.find("webhook", "room") !== undefined) seqs.push(await finish());
    assert.deepEqual(seqs, [11, 5, ...Array.from({ length: 79 }, (_, index) => index + 12)]);
  });

  it("reads what an older message displaced without what was done before it", async () => {
    const { accept, lanes, store, answerAll } = start({ ...laneLimits, perLane: 2 });
    accept(entry(10));
    for (const seq of [5, 6]) {
      store(entry(seq));
      lanes.insert(entry(seq));
    }
    accept(entry(11));
    assert.deepEqual(await answerAll(["room"]), ["room10", "room5", "room6", "room11"]);
  });

  it("lets go of payloads beyond 64 MiB", () => {
    const { lanes } = start();
    const bytes = payloadMemoryLimit / 4;
    for (let seq = 1; seq <= 5; seq += 1)
      lanes.append(entry(seq, { conversation: `c${seq}`, bytes, payload: new Uint8Array(bytes) }));
    assert.equal(lanes.payloads.bytes, payloadMemoryLimit);
    assert.equal(lanes.find("webhook", "c4")?.entries[0]?.payload?.length, bytes);
    assert.equal(lanes.find("webhook", "c5")?.entries[0]?.payload, null);
  });

  it("does not keep a long frame alive for a short message that waits", () => {
    const { lanes, lane } = start();
    const frame = new Uint8Array(1_000_000);
    lanes.append(entry(1, { payload: frame.subarray(10, 20) }));
    assert.equal(lane().entries[0]?.payload?.buffer.byteLength, 10);
  });

  it("has no more lanes than it may, however many conversations there are, and each in its order", async () => {
    const limits = { ...laneLimits, lanes: 50, lanesPerBacklog: 10, pageRows: 20 };
    const { accept, lanes, answerAll } = start(limits);
    const names = Array.from({ length: 1_000 }, (_, index) => `c${index}.`);
    for (let seq = 1; seq <= 3_000; seq += 1) {
      accept(entry(seq, { conversation: names[(seq - 1) % 1_000] ?? "" }));
      assert.ok(lanes.size <= 50);
    }
    const done = await answerAll(names);
    assert.equal(done.length, 3_000);
    assert.deepEqual(
      done.filter((one) => one.startsWith("c777.")),
      ["c777.778", "c777.1778", "c777.2778"],
    );
    assert.deepEqual([lanes.size, lanes.messages, lanes.payloads.bytes], [0, 0, 0]);
  });

  it("leaves an adapter its lanes for each consumer while another floods", () => {
    const { accept, lanes } = start({ ...laneLimits, lanes: 20, lanesPerBacklog: 5 });
    for (let seq = 1; seq <= 100; seq += 1) accept(entry(seq, { conversation: `c${seq}` }));
    for (let seq = 101; seq <= 110; seq += 1) accept(entry(seq, { conversation: `c${seq}`, consumer: "other" }));
    for (let seq = 111; seq <= 120; seq += 1) accept(entry(seq, { conversation: `c${seq}`, key: "slack" }));
    assert.equal(lanes.size, 30);
    assert.ok(lanes.find("slack", "c115") !== undefined && lanes.find("slack", "c116") === undefined);
  });

  it("keeps few of each lane where there are too many messages in all", () => {
    const { accept, lanes } = start({ ...laneLimits, messages: 100, perFullLane: 2 });
    for (let seq = 1; seq <= 1_000; seq += 1) accept(entry(seq, { conversation: `c${seq % 40}` }));
    assert.ok(lanes.messages <= 100 + 40 * 2, `${lanes.messages}`);
  });

  it("does not deliver again what was done while a page of its adapter was read", async () => {
    const { accept, lanes, journal, answer, answerAll } = start({ ...laneLimits, lanes: 3, lanesPerBacklog: 1 });
    for (const [seq, conversation] of ["a", "b", "c", "d", "a", "e"].entries())
      accept(entry(seq + 1, { conversation }));
    assert.equal(lanes.find("webhook", "d"), undefined);
    journal.hold({ questions: true });
    answer("b");
    answer("c");
    await settled();
    answer("a");
    answer("a");
    await journal.resume();
    assert.deepEqual(await answerAll(["a", "b", "c", "d", "e"]), ["d4", "e6"]);
  });

  it("puts a dead letter behind the older ones of its lane that were left on disk", async () => {
    const limits = { ...laneLimits, lanes: 1, lanesPerBacklog: 1, pageRows: 1 };
    const { accept, lanes, store, answer, answerAll } = start(limits);
    for (const [seq, conversation] of ["a", "b", "c", "b"].entries()) accept(entry(seq + 1, { conversation }));
    answer("a");
    await settled();
    const letter = entry(5, { conversation: "b" });
    store(letter);
    lanes.insert(letter);
    assert.deepEqual(await answerAll(["b", "c"]), ["b2", "b4", "b5", "c3"]);
  });

  it("reads a backlog again a second later when the journal could not", async (t) => {
    fakeTime(t);
    const { accept, journal, lanes, answer } = start({ ...laneLimits, lanes: 1, lanesPerBacklog: 1 });
    for (const [seq, conversation] of ["a", "b"].entries()) accept(entry(seq + 1, { conversation }));
    journal.fail(new GatewayError("journal_unavailable", "Cannot read: no disk"));
    answer("a");
    await settled();
    assert.equal(lanes.size, 0);
    journal.fail(null);
    await tick(t, 1000);
    assert.equal(lanes.find("webhook", "b")?.entries[0]?.seq, 2);
  });
});
