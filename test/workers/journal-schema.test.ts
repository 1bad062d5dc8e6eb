/** A journal that an older Bulkhead has written. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { migrations } from "../../workers/journal-schema.ts";
import { JournalStore } from "../../workers/journal-store.ts";
import { laneOf } from "../../workers/journal-text-index.ts";
import { accept, send } from "../support/journal-writes.ts";

const all = { afterSeq: 0, limit: 10_000 };
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-schema-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("the journal's schema", () => {
  it("brings an older one up to date with all that is in it", () => {
    const path = join(directory, "journal.db");
    const late = { code: "timeout", message: "late", stack: null, retry: { kind: "backoff" }, userAction: null };
    const messages = [11, 12, 13].map(
      (seq) => `INSERT INTO messages VALUES (${seq}, 'm${seq}', 'chat', 'room', ${seq}, '{"h":${seq}}', x'${seq}');
        INSERT INTO known VALUES (${seq}, 'm${seq}', ${seq});`,
    );
    const database = new DatabaseSync(path);
    database.exec(`${migrations[0]}; PRAGMA user_version = 1; ${messages.join("")}
      UPDATE meta SET is_clean = 1, seq = 13, send_seq = 9, cursor = 40;
      INSERT INTO known VALUES (10, 'pruned', 1);
      INSERT INTO pending VALUES (11, 'chat', 'main', ${laneOf("chat", "room")}, 1, 2, 77, 1, '${JSON.stringify(late)}');
      INSERT INTO done VALUES (12, 500, 1);
      INSERT INTO dead VALUES (13, 'chat', 'main', ${laneOf("chat", "room")}, 1, 5, 0, 0, '${JSON.stringify(late)}', 600, 'max_attempts');
      INSERT INTO sends VALUES (7, 's7', 'chat', 'room', 'k7', 'queued', 2, 0, NULL, NULL, 1000, 1000),
        (8, 's8', 'chat', 'room', 'k8', 'confirmed', 1, 0, 'p8', NULL, 1000, 1001);
      INSERT INTO send_bodies VALUES (7, x'07');
      INSERT INTO mailbox VALUES (40, 'chat', 'room', x'28', 700);
      INSERT INTO store VALUES ('resume', 'chat', '{"next":3}')`);
    database.close();
    using store = JournalStore.open({ path, durability: "full", check: "auto", maxPages: null });
    assert.deepEqual(store.opened, {
      nextSeq: 14,
      nextSendSeq: 10,
      nextCursor: 41,
      oldestCursor: 40,
      setAsidePath: null,
    });
    const row = { key: "chat", conversation: "room", consumer: "main", bytes: 1 };
    assert.deepEqual(
      store.query("pending", all).map((pending) => ({ ...pending })),
      [{ ...row, seq: 11, id: "m11", attempt: 2, notBeforeMs: 77, leased: true, atMs: 11 }],
    );
    assert.deepEqual(
      store.query("lane", { key: "chat", conversation: "room", ...all }).map(({ seq }) => seq),
      [11],
    );
    assert.deepEqual(
      store.query("deadLetters", all).map((dead) => ({ ...dead })),
      [
        {
          ...row,
          seq: 13,
          id: "m13",
          attempt: 5,
          notBeforeMs: 0,
          leased: false,
          atMs: 13,
          reason: "max_attempts",
          deadAtMs: 600,
          error: late,
        },
      ],
    );
    assert.deepEqual(
      [11, 12, 13].map((seq) => store.query("message", { id: `m${seq}` })?.payload),
      [0x11, 0x12, 0x13].map((byte) => Uint8Array.of(byte)),
    );
    assert.deepEqual(
      store.query("headers", { seqs: [12] }).map(({ header }) => header),
      ['{"h":12}'],
    );
    assert.deepEqual(
      store.query("openSends", { key: "chat", ...all }).map(({ id, attempts, dueAtMs }) => ({ id, attempts, dueAtMs })),
      [{ id: "s7", attempts: 2, dueAtMs: 0 }],
    );
    assert.equal(store.query("send", { id: "s8" })?.platformMessageId, "p8");
    assert.deepEqual(
      store.query("mail", { key: "chat", conversation: "room", after: 0, limit: 9 }).map(({ cursor }) => cursor),
      [40],
    );
    assert.deepEqual(store.query("scope", { scope: "resume" }), { chat: '{"next":3}' });
    const { pending, acked, dead } = store.query("counts", {});
    assert.deepEqual({ pending, acked, dead }, { pending: 1, acked: 1, dead: 1 });
    for (const id of ["pruned", "m11", "m12", "m13"])
      assert.equal(store.apply([accept(14, { id })])[0]?.duplicate, true, `${id} is known`);
    assert.equal(store.apply([send(10, { idempotencyKey: "k8" })])[0]?.existingId, "s8");
    store.apply([{ op: "ack", seq: 11, atMs: 900 }]);
    assert.deepEqual(store.query("pending", all), []);
  });
});
