import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { Journal, JournalWrite } from "../../src/contract/journal.ts";
import { ackedRoom, startRetention, type RetentionOptions } from "../../src/journal/retention.ts";
import { JournalStore } from "../../workers/journal-store.ts";
import { accept, mail, send, sendState } from "../support/journal-writes.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { mockClocks } from "../support/mocked-time.ts";

const hourMs = 3_600_000;

/** A journal in memory, without a thread. */
function journalOver(store: JournalStore): Pick<Journal, "commit" | "query"> {
  return {
    commit: (writes) => Promise.resolve().then(() => store.apply(writes)),
    query: (name, args) => Promise.resolve().then(() => store.query(name, args)),
  };
}

function memoryStore(): JournalStore {
  return JournalStore.open({ path: null, durability: "memory", check: "auto", maxPages: null });
}

function options(store: JournalStore, fields: Partial<RetentionOptions> = {}): RetentionOptions {
  return {
    journal: journalOver(store),
    settings: { retainHours: 24, maxBytes: 2 ** 31 },
    logger: silentLogger,
    onReplayWindowShort: () => {},
    ...fields,
  };
}

/** Accepted and acked `ageHours` ago. */
function acked(seq: number, ageHours: number, payloadBytes = 10): JournalWrite[] {
  const atMs = Date.now() - ageHours * hourMs;
  return [accept(seq, { atMs, payload: new Uint8Array(payloadBytes) }), { op: "ack", seq, atMs }];
}

describe("startRetention()", () => {
  it("removes each thing at its age, and nothing that is not done", async () => {
    using store = memoryStore();
    const old = Date.now() - 25 * hourMs;
    const older = Date.now() - 27 * hourMs;
    const { nextCursor } = store.opened;
    store.apply([...acked(1, 27), ...acked(2, 25), ...acked(3, 23), accept(4, { atMs: older })]);
    store.apply([mail(nextCursor, { atMs: old }), mail(nextCursor + 1, { atMs: Date.now() })]);
    store.apply([send(1, { atMs: older }), send(2, { atMs: older }), sendState("s1", { atMs: older })]);
    await using retention = startRetention(options(store));
    await retention.run();
    assert.deepEqual(
      store.query("headers", { seqs: [1, 2, 3, 4] }).map((row) => row.seq),
      [3, 4],
    );
    assert.equal(store.apply([accept(5, { id: "m2" })])[0]?.duplicate, true, "ids are kept 26 hours");
    assert.equal(store.apply([accept(5, { id: "m1" })])[0]?.duplicate, false);
    const query = { key: "webhook", conversation: "room-1", after: 0, limit: 10 };
    assert.deepEqual(
      store.query("mail", query).map((letter) => letter.cursor),
      [nextCursor + 1],
    );
    assert.equal(store.query("send", { id: "s1" }), null);
    assert.equal(store.query("send", { id: "s2" })?.state, "queued");
  });

  it("comes to the end of more than one slice in one pass", async () => {
    using store = memoryStore();
    for (let seq = 1; seq <= 12_000; seq += 1_000)
      store.apply(Array.from({ length: 1_000 }, (_, index) => acked(seq + index, 25)).flat());
    await using retention = startRetention(options(store));
    await retention.run();
    assert.equal(store.query("counts", {}).acked, 0);
  });

  it("prunes acked messages when the file is four fifths full, and says that the window is short", async (t) => {
    using store = memoryStore();
    for (let seq = 1; seq <= 1_000; seq += 1) store.apply(acked(seq, 1, 1_000));
    store.apply([accept(1_001)]);
    const said: boolean[] = [];
    const { bytes } = store.query("counts", {});
    const settings = { retainHours: 24, maxBytes: bytes };
    await using retention = startRetention(
      options(store, { settings, onReplayWindowShort: (isShort) => said.push(isShort) }),
    );
    await retention.run();
    const counts = store.query("counts", {});
    assert.ok(counts.bytes <= bytes * 0.8, `${counts.bytes} of ${bytes}`);
    assert.ok(counts.acked > 600, "no more than needed");
    assert.equal(counts.pending, 1);
    assert.deepEqual(said, [true]);
    // What was cut would have left by itself by then: the window is whole again.
    mockClocks(t, Date.now() + 25 * hourMs);
    await retention.run();
    assert.deepEqual(said, [true, false]);
  });

  it("takes new settings for its next pass", async () => {
    using store = memoryStore();
    store.apply(acked(1, 5));
    await using retention = startRetention(options(store));
    await retention.run();
    assert.equal(store.query("counts", {}).acked, 1);
    retention.update({ retainHours: 4, maxBytes: 2 ** 31 });
    await retention.run();
    assert.equal(store.query("counts", {}).acked, 0);
  });

  it("survives a journal in trouble, and prunes with the next period", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    using store = memoryStore();
    store.apply(acked(1, 25));
    const logger = new RecordingLogger();
    const working = journalOver(store);
    let isBroken = true;
    const pruned = Promise.withResolvers<void>();
    const journal: Pick<Journal, "commit" | "query"> = {
      query: working.query,
      commit: async (writes) => {
        if (isBroken) throw new Error("disk full");
        const results = await working.commit(writes);
        pruned.resolve();
        return results;
      },
    };
    await using retention = startRetention(options(store, { journal, logger }));
    await retention.run();
    assert.equal(logger.records[0]?.event, "retention-failed");
    isBroken = false;
    t.mock.timers.tick(60_000);
    await pruned.promise;
    assert.equal(store.query("counts", {}).acked, 0);
  });
});

describe("ackedRoom()", () => {
  it("is endless while there is room", () => {
    assert.equal(ackedRoom({ bytes: 80, ackedBytes: 40, unackedBytes: 0 }, 100), Number.POSITIVE_INFINITY);
  });

  it("counts what a payload costs beside itself", () => {
    // 50 bytes of payload take 100: in 80 there is room for 40, of which 10 are not acked.
    assert.equal(ackedRoom({ bytes: 100, ackedBytes: 40, unackedBytes: 10 }, 100), 30);
  });

  it("is never negative, and below what is there", () => {
    const room = fc.record({ bytes: fc.nat(), ackedBytes: fc.nat(), unackedBytes: fc.nat() });
    fc.assert(
      fc.property(room, fc.nat(), (counts, maxBytes) => {
        const left = ackedRoom(counts, maxBytes);
        assert.ok(left >= 0);
        assert.ok(left === Number.POSITIVE_INFINITY || left <= counts.ackedBytes);
      }),
    );
  });
});
