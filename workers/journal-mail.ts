/** The mailboxes: replies that wait for clients who fetch them. */
import type { DatabaseSync } from "node:sqlite";
import type { JournalWrite, WriteResult } from "../src/contract/journal.ts";
import { numberOf } from "./journal-database.ts";
import { fresh } from "./journal-write-result.ts";

/** Letters kept per conversation; the oldest go. */
export const mailboxLimit = 1_000;
/** Conversations whose number of letters is remembered; beyond it they are counted anew. */
const rememberedBoxes = 10_000;

/** Mail by cursor. Its owner begins and ends the transactions. */
export class MailStore {
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Letters by box, so that an ordinary letter asks no disk whether the box is full. */
  readonly #sizes = new Map<string, number>();
  /** The oldest letter's cursor when the journal was opened; `null`: there was none. */
  readonly oldestCursor: number | null;
  #highestCursor: number;

  constructor(database: DatabaseSync) {
    this.#statements = prepareStatements(database);
    // No cursor is ever 0: it stands for an empty table.
    this.oldestCursor = numberOf(database, "SELECT min(cursor) FROM mailbox") || null;
    this.#highestCursor = Math.max(
      numberOf(database, "SELECT cursor FROM meta"),
      numberOf(database, "SELECT max(cursor) FROM mailbox"),
    );
  }

  /** The highest cursor ever given. */
  get highestCursor(): number {
    return this.#highestCursor;
  }

  /** `true`: the box was full and its oldest letters are gone. */
  add(write: Extract<JournalWrite, { readonly op: "mail" }>): boolean {
    const { cursor, key, conversation } = write;
    const box = boxOf(key, conversation);
    const before = this.#sizes.get(box) ?? this.#count(key, conversation);
    const added = Number(this.#statements.add.run(cursor, key, conversation, write.response, write.atMs).changes);
    const excess = Math.max(0, before + added - mailboxLimit);
    if (excess > 0) this.#statements.removeOldest.run(key, conversation, excess);
    if (this.#sizes.size >= rememberedBoxes) this.#sizes.clear();
    this.#sizes.set(box, before + added - excess);
    if (cursor > this.#highestCursor) this.#highestCursor = cursor;
    return excess > 0;
  }

  take({ key, conversation, upTo }: Extract<JournalWrite, { readonly op: "mailTaken" }>): WriteResult {
    this.#statements.take.run(key, conversation, upTo);
    this.#sizes.delete(boxOf(key, conversation));
    return fresh;
  }

  /** Boxes that letters were pruned from. */
  pruned(boxes: readonly { readonly key: string; readonly conversation: string }[]): void {
    for (const { key, conversation } of boxes) this.#sizes.delete(boxOf(key, conversation));
  }

  /** Counts anew from now on: a transaction was rolled back. */
  forget(): void {
    this.#sizes.clear();
  }

  #count(key: string, conversation: string): number {
    return Number(this.#statements.count.get(key, conversation)?.["letters"] ?? 0);
  }
}

/** Runtime keys have no slash. */
function boxOf(key: string, conversation: string): string {
  return `${key}/${conversation}`;
}

function prepareStatements(database: DatabaseSync) {
  return {
    add: database.prepare("INSERT INTO mailbox VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
    count: database.prepare("SELECT count(*) AS letters FROM mailbox WHERE key = ? AND conversation = ?"),
    take: database.prepare("DELETE FROM mailbox WHERE key = ? AND conversation = ? AND cursor <= ?"),
    removeOldest: database.prepare(
      `DELETE FROM mailbox WHERE cursor IN
       (SELECT cursor FROM mailbox WHERE key = ? AND conversation = ? ORDER BY cursor LIMIT ?)`,
    ),
  };
}
