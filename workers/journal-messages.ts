/** The messages' part of the journal: what came in, where each stands, and which ids are known. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JournalWrite, WriteResult } from "../src/contract/journal.ts";
import { numberOf } from "./journal-database.ts";
import type { KnownRow, Pruned } from "./journal-prune.ts";
import { Tally } from "./journal-tally.ts";
import { laneOf, TextIndex } from "./journal-text-index.ts";
import { duplicateMessage, fresh } from "./journal-write-result.ts";

type Write<Op extends JournalWrite["op"]> = Extract<JournalWrite, { readonly op: Op }>;

/** Messages by seq. Its owner begins and ends the transactions. */
export class MessageStore {
  readonly tally: Tally;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #known: TextIndex;
  /** What this transaction did to the index, to be undone when it fails. */
  #added: KnownRow[] = [];
  #removed: KnownRow[] = [];
  /** Acks wait for the end of the transaction, or for a write that may meet them: one statement for all of them. */
  #acks: number[] = [];
  #ackedAtMs = 0;
  #highestSeq: number;

  constructor(database: DatabaseSync) {
    const statements = prepareStatements(database);
    this.#statements = statements;
    this.#known = new TextIndex((id, seq) => statements.knownId.get(seq)?.[0] === id);
    for (const row of database.prepare("SELECT id, seq FROM known").iterate())
      this.#known.add(String(row["id"]), Number(row["seq"]));
    this.#highestSeq = Math.max(
      numberOf(database, "SELECT seq FROM meta"),
      numberOf(database, "SELECT max(seq) FROM known"),
    );
    this.tally = new Tally(database);
  }

  /** The highest seq ever taken. */
  get highestSeq(): number {
    return this.#highestSeq;
  }

  /** The seq under which an id is known; 0 where it is not. */
  seqOf(id: string): number {
    return this.#known.find(id);
  }

  accept(write: Write<"accept">): WriteResult {
    const { seq, id, key, conversation, payload } = write;
    const knownSeq = this.#known.find(id);
    // The same seq is the same group once more.
    if (knownSeq !== 0) return knownSeq === seq ? fresh : duplicateMessage;
    const { known, message, pending } = this.#statements;
    message.run(seq, id, key, conversation, write.atMs, write.header, payload);
    pending.run(seq, key, write.consumer, laneOf(key, conversation), payload.length, write.leased ? 1 : 0);
    known.run(seq, id, write.atMs);
    this.#known.add(id, seq);
    this.#added.push({ id, seq });
    this.tally.accepted(key, payload.length);
    if (seq > this.#highestSeq) this.#highestSeq = seq;
    return fresh;
  }

  lease(seq: number): WriteResult {
    this.#statements.lease.run(seq);
    return fresh;
  }

  ack(seq: number, atMs: number): WriteResult {
    if (atMs !== this.#ackedAtMs) this.flush();
    this.#ackedAtMs = atMs;
    this.#acks.push(seq);
    return fresh;
  }

  nack(write: Write<"nack">): WriteResult {
    this.flush();
    const error = write.error === null ? null : JSON.stringify(write.error);
    this.#statements.nack.run(write.attempt, Math.ceil(write.notBeforeMs), error, write.seq);
    return fresh;
  }

  assign(seq: number, consumer: string): WriteResult {
    this.#statements.assign.run(consumer, seq);
    return fresh;
  }

  bury({ seq, reason, atMs }: Write<"bury">): WriteResult {
    this.flush();
    const row = this.#statements.bury.get(atMs, reason, seq);
    if (row === undefined) return fresh;
    this.#statements.removePending.run(seq);
    this.tally.buried(text(row[0]), text(row[1]));
    return fresh;
  }

  revive(seq: number): WriteResult {
    this.flush();
    const row = this.#statements.revive.get(seq);
    if (row === undefined) return fresh;
    this.#statements.removeDead.get(seq);
    this.tally.revived(text(row[0]), text(row[1]));
    return fresh;
  }

  discard(seq: number): WriteResult {
    const row = this.#statements.removeDead.get(seq);
    if (row === undefined) return fresh;
    this.#statements.removeMessage.run(seq);
    this.tally.discarded(text(row[0]), text(row[1]), Number(row[2]));
    return fresh;
  }

  /** Writes the acks that wait. */
  flush(): void {
    if (this.#acks.length === 0) return;
    const seqs = `[${this.#acks.join(",")}]`;
    this.#acks = [];
    this.#statements.ackInto.run(this.#ackedAtMs, seqs);
    for (const row of this.#statements.ackFrom.all(seqs)) this.tally.acked(text(row[0]), Number(row[1]));
  }

  /** Brings what is kept in memory in line with what was pruned. */
  pruned(pruned: Pruned): void {
    this.tally.pruned(pruned.ackedMessages, pruned.ackedBytes);
    for (const { id, seq } of pruned.known) this.#known.delete(id, seq);
    this.#removed.push(...pruned.known);
  }

  /** The transaction is over; where it was not committed, memory goes back to what the tables say. */
  settle(isCommitted: boolean): void {
    if (!isCommitted) {
      for (const { id, seq } of this.#removed) this.#known.add(id, seq);
      for (const { id, seq } of this.#added) this.#known.delete(id, seq);
      this.#acks = [];
      this.tally.recount();
    }
    if (this.#added.length > 0) this.#added = [];
    if (this.#removed.length > 0) this.#removed = [];
  }
}

/** Columns of a row read as an array; all of them are NOT NULL. */
function text(value: unknown): string {
  return String(value);
}

function prepareStatements(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => database.prepare(sql);
  /** Rows as arrays: cheaper than objects. */
  const arrays = (sql: string) => {
    const prepared = database.prepare(sql);
    prepared.setReturnArrays(true);
    return prepared as unknown as {
      get(...values: (string | number)[]): readonly unknown[] | undefined;
      all(...values: (string | number)[]): readonly (readonly unknown[])[];
    };
  };
  const among = "seq IN (SELECT value FROM json_each(?))";
  return {
    message: statement("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)"),
    pending: statement("INSERT INTO pending VALUES (?, ?, ?, ?, ?, 1, 0, ?, NULL)"),
    known: statement("INSERT INTO known VALUES (?, ?, ?)"),
    knownId: arrays("SELECT id FROM known WHERE seq = ?"),
    lease: statement("UPDATE pending SET leased = 1 WHERE seq = ? AND leased = 0"),
    nack: statement("UPDATE pending SET attempt = ?, not_before = ?, error = ? WHERE seq = ?"),
    assign: statement("UPDATE pending SET consumer = ? WHERE seq = ?"),
    ackInto: statement(`INSERT INTO done SELECT seq, ?, bytes FROM pending WHERE ${among}`),
    ackFrom: arrays(`DELETE FROM pending WHERE ${among} RETURNING key, bytes`),
    bury: arrays(`INSERT INTO dead SELECT seq, key, consumer, lane, bytes, attempt, not_before, leased, error, ?, ?
      FROM pending WHERE seq = ? RETURNING key, consumer`),
    revive: arrays(`INSERT INTO pending SELECT seq, key, consumer, lane, bytes, 1, 0, leased, NULL
      FROM dead WHERE seq = ? RETURNING key, consumer`),
    removePending: statement("DELETE FROM pending WHERE seq = ?"),
    removeDead: arrays("DELETE FROM dead WHERE seq = ? RETURNING key, consumer, bytes"),
    removeMessage: statement("DELETE FROM messages WHERE seq = ?"),
  };
}
