/** Running counts of the journal, so that no status call counts rows. */
import type { DatabaseSync } from "node:sqlite";
import type { JournalCounts } from "../src/contract/journal-query.ts";
import { numberOf } from "./journal-database.ts";

type Totals = Map<string, number>;

/** What is counted, without what only the disk knows. */
export type TallySnapshot = Omit<JournalCounts, "bytes">;

/** The counts. They are told of every change, and read anew from the tables when a transaction was rolled back. */
export class Tally {
  readonly #database: DatabaseSync;
  #pending = 0;
  #acked = 0;
  #dead = 0;
  #unackedBytes = 0;
  #ackedBytes = 0;
  readonly #unackedBytesByKey: Totals = new Map();
  readonly #deadByKey: Totals = new Map();
  readonly #deadByConsumer: Totals = new Map();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.recount();
  }

  /** Payload bytes of acked messages. */
  get ackedBytes(): number {
    return this.#ackedBytes;
  }

  /** Reads everything anew: a scan of the small tables, about 0.2 us a message. */
  recount(): void {
    for (const totals of [this.#unackedBytesByKey, this.#deadByKey, this.#deadByConsumer]) totals.clear();
    this.#pending = this.#dead = this.#unackedBytes = 0;
    this.#acked = numberOf(this.#database, "SELECT count(*) FROM done");
    this.#ackedBytes = numberOf(this.#database, "SELECT total(bytes) FROM done");
    const groups = "SELECT key, consumer, count(*) AS messages, sum(bytes) AS bytes FROM";
    for (const row of this.#database.prepare(`${groups} pending GROUP BY key, consumer`).iterate()) {
      this.#pending += Number(row["messages"]);
      this.#addBytes(String(row["key"]), Number(row["bytes"]));
    }
    for (const row of this.#database.prepare(`${groups} dead GROUP BY key, consumer`).iterate()) {
      this.#addBytes(String(row["key"]), Number(row["bytes"]));
      this.#addDead(String(row["key"]), String(row["consumer"]), Number(row["messages"]));
    }
  }

  /** A message came in. */
  accepted(key: string, bytes: number): void {
    this.#pending += 1;
    this.#addBytes(key, bytes);
  }

  /** A pending message is done. */
  acked(key: string, bytes: number): void {
    this.#pending -= 1;
    this.#acked += 1;
    this.#ackedBytes += bytes;
    this.#addBytes(key, -bytes);
  }

  /** A pending message is dead. */
  buried(key: string, consumer: string): void {
    this.#pending -= 1;
    this.#addDead(key, consumer, 1);
  }

  /** A dead letter is pending again. */
  revived(key: string, consumer: string): void {
    this.#pending += 1;
    this.#addDead(key, consumer, -1);
  }

  /** A dead letter is gone. */
  discarded(key: string, consumer: string, bytes: number): void {
    this.#addDead(key, consumer, -1);
    this.#addBytes(key, -bytes);
  }

  /** Acked messages are gone. */
  pruned(messages: number, bytes: number): void {
    this.#acked -= messages;
    this.#ackedBytes -= bytes;
  }

  /** A copy. */
  snapshot(): TallySnapshot {
    return {
      pending: this.#pending,
      acked: this.#acked,
      dead: this.#dead,
      unackedBytes: this.#unackedBytes,
      ackedBytes: this.#ackedBytes,
      deadByKey: Object.fromEntries(this.#deadByKey),
      deadByConsumer: Object.fromEntries(this.#deadByConsumer),
      unackedBytesByKey: Object.fromEntries(this.#unackedBytesByKey),
    };
  }

  #addBytes(key: string, bytes: number): void {
    this.#unackedBytes += bytes;
    add(this.#unackedBytesByKey, key, bytes);
  }

  #addDead(key: string, consumer: string, messages: number): void {
    this.#dead += messages;
    add(this.#deadByKey, key, messages);
    add(this.#deadByConsumer, consumer, messages);
  }
}

/** What has come back to nothing is left out: adapters come and go. */
function add(totals: Totals, name: string, amount: number): void {
  const total = (totals.get(name) ?? 0) + amount;
  if (total === 0) totals.delete(name);
  else totals.set(name, total);
}
