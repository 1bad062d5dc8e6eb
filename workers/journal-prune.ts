/** What retention removes, a bounded slice at a time: each table is walked from its oldest row, one piece per call. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JournalWrite } from "../src/contract/journal.ts";

/** The bounds of one `prune`. */
export type PruneBounds = Omit<Extract<JournalWrite, { op: "prune" }>, "op">;

/** What a `prune` took away, for the counts and the indexes in memory. */
export type Pruned = {
  readonly ackedMessages: number;
  readonly ackedBytes: number;
  readonly known: readonly KnownRow[];
  readonly sends: readonly SendRef[];
  readonly mailboxes: readonly { readonly key: string; readonly conversation: string }[];
};
/** A row of `known`. */
export type KnownRow = { readonly seq: number; readonly id: string };
/** What is indexed of a send. */
export type SendRef = { readonly seq: number; readonly id: string; readonly idempotencyKey: string };

/** Rows looked at in one call, per table: a commit that comes behind a slice waits about 20 ms. */
const sliceRows = 2_000;
/** Large payloads are chains of pages, and freeing them is the work. */
const sliceBytes = 32 * 2 ** 20;

type DoneRow = { readonly seq: number; readonly at: number; readonly bytes: number };

/** Walks the tables. */
export class Pruner {
  readonly #walks: { readonly done: Walk; readonly known: Walk; readonly sends: Walk; readonly mail: Walk };
  readonly #held: StatementSync;
  readonly #delete: Readonly<Record<"messages" | "done" | "known" | "sends" | "bodies" | "mail", StatementSync>>;

  constructor(database: DatabaseSync) {
    const walk = (columns: string, table: string, number = "seq"): Walk =>
      new Walk(
        database.prepare(`SELECT ${columns} FROM ${table} WHERE ${number} > ? ORDER BY ${number} LIMIT ${sliceRows}`),
        number,
      );
    const remove = (table: string, number = "seq"): StatementSync =>
      database.prepare(`DELETE FROM ${table} WHERE ${number} IN (SELECT value FROM json_each(?))`);
    this.#walks = {
      done: walk("seq, at, bytes", "done"),
      known: walk("seq, id, at", "known"),
      sends: walk("seq, id, idempotency_key AS idempotencyKey, state, changed_at AS at", "sends"),
      mail: walk("cursor, key, conversation, at", "mailbox", "cursor"),
    };
    this.#held = database.prepare("SELECT seq FROM messages WHERE seq IN (SELECT value FROM json_each(?))");
    this.#delete = {
      messages: remove("messages"),
      done: remove("done"),
      known: remove("known"),
      sends: remove("sends"),
      bodies: remove("send_bodies"),
      mail: remove("mailbox", "cursor"),
    };
  }

  /** One slice of each table, within the caller's transaction. `ackedBytes`: what acked payloads come to now. */
  prune(bounds: PruneBounds, ackedBytes: number): Pruned {
    const done = this.#prunableDone(bounds, ackedBytes);
    const doneSeqs = list(done.map((row) => row.seq));
    this.#delete.messages.run(doneSeqs);
    this.#delete.done.run(doneSeqs);

    const known = this.#prunableKnown(bounds.knownBeforeMs);
    this.#delete.known.run(list(known.map((row) => row.seq)));

    const sends = this.#walks.sends
      .slice<SendRef & { at: number; state: string }>((row) => row.at >= bounds.knownBeforeMs)
      .filter((row) => row.at < bounds.knownBeforeMs && row.state !== "queued" && row.state !== "attempted");
    const sendSeqs = list(sends.map((row) => row.seq));
    this.#delete.sends.run(sendSeqs);
    this.#delete.bodies.run(sendSeqs);

    const mail = this.#walks.mail
      .slice<{ cursor: number; key: string; conversation: string; at: number }>((row) => row.at >= bounds.mailBeforeMs)
      .filter((row) => row.at < bounds.mailBeforeMs);
    this.#delete.mail.run(list(mail.map((row) => row.cursor)));
    return {
      ackedMessages: done.length,
      ackedBytes: done.reduce((bytes, row) => bytes + row.bytes, 0),
      known,
      sends,
      mailboxes: mail,
    };
  }

  /** An id is known for as long as its message is there, however long that is. */
  #prunableKnown(beforeMs: number): readonly KnownRow[] {
    const old = this.#walks.known
      .slice<KnownRow & { at: number }>((row) => row.at >= beforeMs)
      .filter((row) => row.at < beforeMs);
    const held = this.#held.all(list(old.map((row) => row.seq)));
    const heldSeqs = new Set(held.map((row) => row["seq"]));
    return old.filter((row) => !heldSeqs.has(row.seq));
  }

  #prunableDone(bounds: PruneBounds, ackedBytes: number): readonly DoneRow[] {
    if (ackedBytes > bounds.ackedBytesOver) this.#walks.done.rewind();
    const prunable: DoneRow[] = [];
    let bytesLeft = ackedBytes;
    let bytesTaken = 0;
    for (const row of this.#walks.done.slice<DoneRow>((last) => last.at >= bounds.ackedBeforeMs)) {
      if (row.at >= bounds.ackedBeforeMs && bytesLeft <= bounds.ackedBytesOver) continue;
      if (bytesTaken > sliceBytes) {
        this.#walks.done.rewind();
        break;
      }
      prunable.push(row);
      bytesLeft -= row.bytes;
      bytesTaken += row.bytes;
    }
    return prunable;
  }
}

/** Where the last call left off in a table. */
class Walk {
  readonly #select: StatementSync;
  readonly #number: string;
  #after = 0;

  constructor(select: StatementSync, number: string) {
    this.#select = select;
    this.#number = number;
  }

  /** The next slice. After one whose last row `isYoung`, or the last one, the walk begins again: times rise with numbers, or nearly. */
  slice<Row>(isYoung: (row: Row) => boolean): readonly Row[] {
    const rows = this.#select.all(this.#after) as unknown as readonly Row[];
    const last = rows.at(-1);
    this.#after =
      last === undefined || rows.length < sliceRows || isYoung(last)
        ? 0
        : ((last as Record<string, unknown>)[this.#number] as number);
    return rows;
  }

  /** The next slice is the oldest again. */
  rewind(): void {
    this.#after = 0;
  }
}

function list(numbers: readonly number[]): string {
  return `[${numbers.join(",")}]`;
}
