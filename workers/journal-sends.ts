/** The outbox's part of the journal. */
import type { DatabaseSync } from "node:sqlite";
import type { JournalWrite, SendRow, WriteResult } from "../src/contract/journal.ts";
import { numberOf } from "./journal-database.ts";
import type { SendRef } from "./journal-prune.ts";
import { TextIndex } from "./journal-text-index.ts";
import { fresh } from "./journal-write-result.ts";

/** Sends by seq, found by id and by idempotency key. Its owner begins and ends the transactions. */
export class SendStore {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #ids: TextIndex;
  readonly #idempotencyKeys: TextIndex;
  /** What this transaction did to the indexes, to be undone when it fails. */
  #added: SendRef[] = [];
  #removed: SendRef[] = [];
  #highestSeq: number;

  constructor(database: DatabaseSync) {
    const statements = prepareStatements(database);
    this.#statements = statements;
    this.#ids = new TextIndex((id, seq) => statements.refs.get(seq)?.["id"] === id);
    this.#idempotencyKeys = new TextIndex((key, seq) => statements.refs.get(seq)?.["idempotencyKey"] === key);
    for (const row of database.prepare("SELECT seq, id, idempotency_key AS idempotencyKey FROM sends").iterate())
      this.#index(row as SendRef);
    this.#highestSeq = Math.max(
      numberOf(database, "SELECT send_seq FROM meta"),
      numberOf(database, "SELECT max(seq) FROM sends"),
    );
  }

  /** The highest seq ever taken. */
  get highestSeq(): number {
    return this.#highestSeq;
  }

  /** The seq of the send with this id; 0 where there is none. */
  seqOf(id: string): number {
    return this.#ids.find(id);
  }

  add(send: SendRow): WriteResult {
    const { seq, id, idempotencyKey } = send;
    const existing = this.#idempotencyKeys.find(idempotencyKey);
    // The same seq is the same group once more.
    if (existing === seq) return fresh;
    if (existing !== 0)
      return { duplicate: true, existingId: String(this.#statements.refs.get(existing)?.["id"] ?? "") };
    const { key, conversation, state, atMs } = send;
    this.#statements.add.run(seq, id, key, conversation, idempotencyKey, state, atMs, atMs, Math.ceil(send.dueAtMs));
    this.#statements.addBody.run(seq, send.response);
    this.#index({ seq, id, idempotencyKey });
    this.#added.push({ seq, id, idempotencyKey });
    if (seq > this.#highestSeq) this.#highestSeq = seq;
    return fresh;
  }

  setState(write: Extract<JournalWrite, { readonly op: "sendState" }>): WriteResult {
    const seq = this.#ids.find(write.id);
    if (seq === 0) return fresh;
    const error = write.error === null ? null : JSON.stringify(write.error);
    const nextAttemptAtMs = Math.ceil(write.nextAttemptAtMs);
    const { setState, removeBody } = this.#statements;
    setState.run(write.state, write.attempts, nextAttemptAtMs, write.platformMessageId, error, write.atMs, seq);
    if (write.state === "confirmed") removeBody.run(seq);
    return fresh;
  }

  /** What was held is as old from now on as it is overdue. */
  release({ upToMs, upToSeq }: Extract<JournalWrite, { readonly op: "releaseSends" }>): WriteResult {
    this.#statements.release.run(upToMs, upToSeq);
    return fresh;
  }

  /** Brings what is kept in memory in line with what was pruned. */
  pruned(sends: readonly SendRef[]): void {
    for (const send of sends) this.#forget(send);
    this.#removed.push(...sends);
  }

  /** The transaction is over; where it was not committed, memory goes back to what the tables say. */
  settle(isCommitted: boolean): void {
    if (!isCommitted) {
      for (const send of this.#removed) this.#index(send);
      for (const send of this.#added) this.#forget(send);
    }
    if (this.#added.length > 0) this.#added = [];
    if (this.#removed.length > 0) this.#removed = [];
  }

  #index({ seq, id, idempotencyKey }: SendRef): void {
    this.#ids.add(id, seq);
    this.#idempotencyKeys.add(idempotencyKey, seq);
  }

  #forget({ seq, id, idempotencyKey }: SendRef): void {
    this.#ids.delete(id, seq);
    this.#idempotencyKeys.delete(idempotencyKey, seq);
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    refs: database.prepare("SELECT id, idempotency_key AS idempotencyKey FROM sends WHERE seq = ?"),
    add: database.prepare("INSERT INTO sends VALUES (?, ?, ?, ?, ?, ?, 0, 0, NULL, NULL, ?, ?, ?)"),
    addBody: database.prepare("INSERT INTO send_bodies VALUES (?, ?)"),
    release: database.prepare("UPDATE sends SET at = due_at, due_at = 0 WHERE due_at > 0 AND due_at <= ? AND seq <= ?"),
    removeBody: database.prepare("DELETE FROM send_bodies WHERE seq = ?"),
    setState: database.prepare(
      `UPDATE sends SET state = ?, attempts = ?, next_attempt_at = ?, platform_message_id = ?, error = ?, changed_at = ?
       WHERE seq = ?`,
    ),
  };
}
