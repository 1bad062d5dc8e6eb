import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { JournalTask } from "../../src/contract/journal-wire.ts";
import { assertVersion } from "../../workers/journal-database.ts";
import { JournalStore } from "../../workers/journal-store.ts";
import { accept, mail, prune, send, sendState } from "../support/journal-writes.ts";

const all = { afterSeq: 0, limit: 10_000 };
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-store-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(options: Partial<JournalTask> = {}): JournalStore {
  return JournalStore.open({
    path: join(directory, "state", "journal.db"),
    durability: "full",
    check: "auto",
    maxPages: null,
    ...options,
  });
}

function inMemory(): JournalStore {
  return open({ path: null, durability: "memory" });
}

function seqsOf(rows: readonly { readonly seq: number }[]): number[] {
  return rows.map((row) => row.seq);
}

describe("JournalStore.open()", () => {
  it("makes a private directory and a private file", () => {
    using store = open();
    store.apply([accept(1)]);
    assert.equal(statSync(join(directory, "state")).mode & 0o777, 0o700);
    for (const name of readdirSync(join(directory, "state")))
      assert.equal(statSync(join(directory, "state", name)).mode & 0o777, 0o600, name);
  });

  it("takes others' rights off a file that it finds", () => {
    open()[Symbol.dispose]();
    const path = join(directory, "state", "journal.db");
    chmodSync(path, 0o644);
    using _store = open();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("gives no number twice, even when every row that had one is gone", () => {
    const first = open();
    const { nextCursor } = first.opened;
    first.apply([accept(7), send(3), mail(nextCursor), sendState("s3")]);
    first.apply([{ op: "bury", seq: 7, reason: "no", atMs: 1 }]);
    first.apply([
      { op: "discard", seq: 7 },
      { op: "mailTaken", key: "webhook", conversation: "room-1", upTo: nextCursor },
      prune({ knownBeforeMs: 9_999 }),
    ]);
    assert.equal(first.query("send", { id: "s3" }), null);
    first[Symbol.dispose]();
    using second = open();
    assert.deepEqual(second.opened, {
      nextSeq: 8,
      nextSendSeq: 4,
      nextCursor: nextCursor + 1,
      oldestCursor: null,
      setAsidePath: null,
    });
  });

  it("begins the cursors of a new file above those of any older one", () => {
    const before = Date.now();
    using store = inMemory();
    assert.ok(store.opened.nextCursor > before);
    assert.equal(store.opened.nextSeq, 1);
  });

  it("sets a file that is no database aside by name, with its log, and begins a new one", () => {
    open()[Symbol.dispose]();
    const path = join(directory, "state", "journal.db");
    writeFileSync(path, "not a database ".repeat(1_000));
    writeFileSync(`${path}-wal`, "neither is this");
    const before = Date.now();
    using store = open();
    const setAsidePath = store.opened.setAsidePath ?? "";
    assert.match(setAsidePath, /journal\.db\.corrupt-\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.match(readFileSync(setAsidePath, "utf8"), /^not a database/);
    assert.equal(readFileSync(`${setAsidePath}-wal`, "utf8"), "neither is this");
    assert.ok(store.opened.nextSeq > before, "the lost file's numbers may be in others' hands");
    assert.deepEqual(store.apply([accept(store.opened.nextSeq)]), [{ duplicate: false, existingId: null }]);
  });

  it("sets a file with damaged pages aside", () => {
    const first = open();
    first.apply(Array.from({ length: 500 }, (_, index) => accept(index + 1, { payload: new Uint8Array(500) })));
    first[Symbol.dispose]();
    const path = join(directory, "state", "journal.db");
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4_096 * 3, bytes.length - 4_096);
    writeFileSync(path, bytes);
    using store = open();
    assert.ok(existsSync(store.opened.setAsidePath ?? ""));
    assert.deepEqual(store.query("pending", all), []);
  });

  it("refuses a file of a newer version without touching it", () => {
    open()[Symbol.dispose]();
    const path = join(directory, "state", "journal.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => open(), {
      code: "journal_unavailable",
      message: /schema has version 99, this Bulkhead knows up to 2/,
    });
    assert.deepEqual(readdirSync(join(directory, "state")), ["journal.db"]);
  });

  it("refuses a second writer", () => {
    using _store = open();
    assert.throws(() => open(), { code: "journal_unavailable", message: /database is locked/ });
  });

  it("refuses a path it cannot make", () => {
    writeFileSync(join(directory, "state"), "a file where a directory should be");
    assert.throws(() => open(), { code: "journal_unavailable" });
  });

  it("refuses an SQLite that can corrupt a file", () => {
    assert.throws(() => assertVersion("3.51.2"), { message: /SQLite 3\.51\.2, 3\.51\.3 or newer is needed/ });
    assertVersion("3.51.3");
    assertVersion("4.0.0");
  });

  it("checks a file after an unclean end, and opens it", () => {
    const first = open();
    first.apply([accept(1)]);
    // As a killed process leaves it: the write-ahead log beside the file, nothing noted.
    const path = join(directory, "state", "journal.db");
    const copies = ["", "-wal"].map((suffix) => [suffix, readFileSync(path + suffix)] as const);
    first[Symbol.dispose]();
    for (const [suffix, bytes] of copies) writeFileSync(path + suffix, bytes);
    using store = open();
    assert.deepEqual(seqsOf(store.query("pending", all)), [1]);
  });
});

describe("JournalStore.apply()", () => {
  it("takes a message once, whatever seq it comes with", () => {
    using store = inMemory();
    store.apply([accept(1, { id: "same" })]);
    assert.deepEqual(store.apply([accept(2, { id: "same" })]), [{ duplicate: true, existingId: null }]);
    assert.deepEqual(seqsOf(store.query("pending", all)), [1]);
  });

  it("takes the same group again without doing anything twice", () => {
    using store = inMemory();
    const group = [accept(1), accept(2, { id: "m1" }), send(1), send(2, { idempotencyKey: "m1/0" }), mail(5)];
    const results = store.apply(group);
    assert.deepEqual(
      results.map((result) => result.duplicate),
      [false, true, false, true, false],
    );
    assert.equal(results[3]?.existingId, "s1");
    const counts = store.query("counts", {});
    assert.deepEqual(store.apply(group), results);
    assert.deepEqual(store.query("counts", {}), counts);
  });

  it("does not bring an acked message back when its accept comes again", () => {
    using store = inMemory();
    store.apply([accept(1), { op: "ack", seq: 1, atMs: 5 }]);
    store.apply([accept(1), { op: "ack", seq: 1, atMs: 5 }]);
    const { pending, acked } = store.query("counts", {});
    assert.deepEqual({ pending, acked }, { pending: 0, acked: 1 });
  });

  it("knows an id for as long as its message is there, and longer", () => {
    using store = inMemory();
    store.apply([accept(1, { atMs: 10 }), accept(2, { atMs: 10 }), { op: "ack", seq: 1, atMs: 10 }]);
    store.apply([prune({ ackedBeforeMs: 11 })]);
    assert.equal(store.apply([accept(3, { id: "m1" })])[0]?.duplicate, true, "its row is gone, its id is not");
    store.apply([prune({ knownBeforeMs: 11 })]);
    assert.equal(store.apply([accept(4, { id: "m1" })])[0]?.duplicate, false);
    assert.equal(store.apply([accept(5, { id: "m2" })])[0]?.duplicate, true, "still pending");
  });

  it("does nothing of a transaction that fails", () => {
    using store = inMemory();
    store.apply([accept(1)]);
    const before = store.query("counts", {});
    const colliding = accept(1, { id: "another" });
    assert.throws(() => store.apply([accept(2), { op: "ack", seq: 1, atMs: 1 }, send(1), colliding]));
    assert.deepEqual(store.query("counts", {}), before);
    assert.deepEqual(store.apply([accept(2), send(1)]), [
      { duplicate: false, existingId: null },
      { duplicate: false, existingId: null },
    ]);
  });

  it("remembers what a prune that fails would have forgotten", () => {
    using store = inMemory();
    store.apply([
      accept(1, { atMs: 1 }),
      { op: "ack", seq: 1, atMs: 1 },
      send(1, { atMs: 1 }),
      sendState("s1", { atMs: 1 }),
    ]);
    store.apply([prune({ ackedBeforeMs: 2 })]);
    assert.throws(() =>
      store.apply([prune({ knownBeforeMs: 2 }), accept(1, { id: "another" }), accept(1, { id: "third" })]),
    );
    assert.equal(store.apply([accept(2, { id: "m1" })])[0]?.duplicate, true);
    assert.equal(store.apply([send(2, { idempotencyKey: "m1/0" })])[0]?.existingId, "s1");
  });

  it("does not count letters of a transaction that fails", () => {
    using store = inMemory();
    store.apply(Array.from({ length: 999 }, (_, index) => mail(index + 1)));
    store.apply([accept(1)]);
    assert.throws(() => store.apply([mail(1_000), accept(1, { id: "another" })]));
    store.apply([mail(1_001)]);
    const letters = store.query("mail", { key: "webhook", conversation: "room-1", after: 0, limit: 10_000 });
    assert.equal(letters.length, 1_000);
  });

  it("moves a message between its states", () => {
    using store = inMemory();
    const error = {
      code: "timeout",
      message: "late",
      stack: null,
      retry: { kind: "backoff" },
      userAction: null,
    } as const;
    store.apply([accept(1), { op: "lease", seq: 1 }]);
    store.apply([{ op: "nack", seq: 1, attempt: 2, notBeforeMs: 99.5, error }]);
    const [pending] = store.query("pending", all);
    assert.deepEqual(
      { ...pending },
      {
        seq: 1,
        id: "m1",
        key: "webhook",
        conversation: "room-1",
        consumer: "main",
        attempt: 2,
        notBeforeMs: 100,
        leased: true,
        bytes: 9,
        atMs: 1_001,
      },
    );
    store.apply([
      { op: "assign", seq: 1, consumer: "other" },
      { op: "bury", seq: 1, reason: "max_attempts", atMs: 7 },
    ]);
    assert.deepEqual(store.query("pending", all), []);
    const [dead] = store.query("deadLetters", all);
    assert.deepEqual(
      {
        reason: dead?.reason,
        deadAtMs: dead?.deadAtMs,
        error: dead?.error,
        attempt: dead?.attempt,
        consumer: dead?.consumer,
      },
      { reason: "max_attempts", deadAtMs: 7, error, attempt: 2, consumer: "other" },
    );
    assert.equal(store.query("deadLetter", { id: "m1" })?.row.seq, 1);
    assert.deepEqual(store.query("counts", {}).deadByConsumer, { other: 1 });
    store.apply([{ op: "revive", seq: 1 }]);
    assert.equal(store.query("pending", all)[0]?.attempt, 1);
    assert.deepEqual(store.query("counts", {}).deadByConsumer, {});
  });

  it("keeps the newest thousand letters of a conversation, in the one transaction too", () => {
    using store = inMemory();
    const letters = (start: number, count: number) => Array.from({ length: count }, (_, index) => mail(start + index));
    store.apply([mail(1, { conversation: "other" }), ...letters(2, 1_500)]);
    const query = { key: "webhook", conversation: "room-1", after: 0, limit: 10_000 };
    assert.equal(store.query("mail", query).length, 1_000);
    assert.equal(store.query("mail", query)[0]?.cursor, 502);
    store.apply([{ op: "mailTaken", key: "webhook", conversation: "room-1", upTo: 1_001 }]);
    store.apply(letters(1_502, 600));
    assert.deepEqual(
      store.query("mail", query).map((letter) => letter.cursor),
      Array.from({ length: 1_000 }, (_, index) => 1_102 + index),
    );
    assert.equal(store.query("mail", { ...query, conversation: "other" }).length, 1);
  });

  it("keeps a confirmed send's status and drops its body", () => {
    using store = inMemory();
    store.apply([send(1), send(2), send(3, { key: "slack" })]);
    store.apply([
      sendState("s1", { atMs: 9 }),
      sendState("s2", { state: "attempted", attempts: 3, nextAttemptAtMs: 0.5 }),
    ]);
    const unsent = store.query("openSends", { key: "discord", ...all });
    assert.deepEqual(
      unsent.map(({ id, attempts, nextAttemptAtMs, response }) => ({ id, attempts, nextAttemptAtMs, response })),
      [{ id: "s2", attempts: 3, nextAttemptAtMs: 1, response: Uint8Array.of(2) }],
    );
    assert.deepEqual(
      { ...store.query("send", { id: "s1" }) },
      {
        id: "s1",
        seq: 1,
        key: "discord",
        conversation: "42",
        idempotencyKey: "m1/0",
        state: "confirmed",
        atMs: 1_001,
        dueAtMs: 0,
        attempts: 1,
        nextAttemptAtMs: 0,
        platformMessageId: "p1",
        error: null,
      },
    );
  });

  it("prunes the oldest acked messages first when there is no room, and no other", () => {
    using store = inMemory();
    for (let seq = 1; seq <= 6; seq += 1) store.apply([accept(seq, { payload: new Uint8Array(100) })]);
    for (const seq of [1, 2, 4, 5]) store.apply([{ op: "ack", seq, atMs: 50 }]);
    store.apply([prune({ ackedBytesOver: 250 })]);
    assert.deepEqual(seqsOf(store.query("headers", { seqs: [1, 2, 3, 4, 5, 6] })), [3, 4, 5, 6]);
    assert.equal(store.query("counts", {}).ackedBytes, 200);
  });

  it("prunes a bounded slice at a time, and comes to everything", () => {
    using store = inMemory();
    store.apply(Array.from({ length: 5_000 }, (_, index) => accept(index + 1)));
    store.apply(Array.from({ length: 5_000 }, (_, index) => ({ op: "ack", seq: index + 1, atMs: 5 })));
    const left: number[] = [];
    for (let slice = 0; slice < 3; slice += 1) {
      store.apply([prune({ ackedBeforeMs: 6 })]);
      left.push(store.query("counts", {}).acked);
    }
    assert.deepEqual(left, [3_000, 1_000, 0]);
    for (let slice = 0; slice < 3; slice += 1) store.apply([prune({ knownBeforeMs: 99_999 })]);
    assert.equal(store.apply([accept(5_001, { id: "m4999" })])[0]?.duplicate, false);
  });

  it("frees room on disk", () => {
    using store = open();
    store.apply(Array.from({ length: 1_000 }, (_, index) => accept(index + 1, { payload: new Uint8Array(1_000) })));
    const full = store.query("counts", {}).bytes;
    store.apply(Array.from({ length: 1_000 }, (_, index) => ({ op: "ack", seq: index + 1, atMs: 5 })));
    store.apply([prune({ ackedBeforeMs: 6 })]);
    assert.ok(store.query("counts", {}).bytes < full / 4);
  });

  it("refuses what a full disk cannot take, loses nothing of before, and goes on when there is room", () => {
    using store = open({ maxPages: 60 });
    const large = (seq: number) => accept(seq, { payload: new Uint8Array(20_000) });
    let seq = 1;
    assert.throws(
      () => {
        for (; seq < 100; seq += 1) store.apply([large(seq)]);
      },
      { code: "journal_unavailable", message: /database or disk is full/ },
    );
    assert.throws(() => store.probe(), { code: "journal_unavailable" });
    assert.equal(store.query("pending", all).length, seq - 1);
    assert.equal(store.query("counts", {}).pending, seq - 1);
    store.apply(Array.from({ length: seq - 1 }, (_, index) => ({ op: "ack", seq: index + 1, atMs: 1 })));
    store.apply([prune({ ackedBeforeMs: 2 })]);
    store.probe();
    assert.deepEqual(store.apply([large(seq)]), [{ duplicate: false, existingId: null }]);
  });
});

describe("JournalStore.query()", () => {
  it("finds a lane's messages among those of others", () => {
    using store = inMemory();
    for (let seq = 1; seq <= 20; seq += 1) store.apply([accept(seq, { conversation: `room-${seq % 3}` })]);
    store.apply([{ op: "ack", seq: 4, atMs: 1 }]);
    const lane = { key: "webhook", conversation: "room-1", afterSeq: 1, limit: 3 };
    assert.deepEqual(seqsOf(store.query("lane", lane)), [7, 10, 13]);
    assert.deepEqual(store.query("lane", { ...lane, key: "webchat" }), []);
  });

  it("finds what one adapter has for one consumer within a range", () => {
    using store = inMemory();
    for (let seq = 1; seq <= 20; seq += 1)
      store.apply([
        accept(seq, { key: seq % 2 === 0 ? "webhook" : "webchat", consumer: seq % 5 === 0 ? "other" : "main" }),
      ]);
    store.apply([{ op: "ack", seq: 6, atMs: 1 }]);
    const backlog = { key: "webhook", consumer: "main", afterSeq: 2, upToSeq: 16, limit: 100 };
    assert.deepEqual(seqsOf(store.query("backlog", backlog)), [4, 8, 12, 14, 16]);
    assert.deepEqual(seqsOf(store.query("backlog", { ...backlog, limit: 2 })), [4, 8]);
    assert.deepEqual(seqsOf(store.query("backlog", { ...backlog, consumer: "other" })), [10]);
  });

  it("answers null for what is not there", () => {
    using store = inMemory();
    store.apply([accept(1)]);
    assert.equal(store.query("message", { id: "m2" }), null);
    assert.equal(store.query("deadLetter", { id: "m1" }), null);
    assert.equal(store.query("send", { id: "s1" }), null);
    assert.deepEqual(store.query("scope", { scope: "resume" }), {});
  });
});
