/**
 * The journal in memory, its commits finished when the test says. What is applied survives {@link FakeJournal.reopen},
 * what is only waiting does not: that is a crash.
 */
import type { GatewayError } from "../../src/contract/errors.ts";
import type { Journal, JournalWrite, WriteResult } from "../../src/contract/journal.ts";
import type { DeadLetterRow, JournalQueries, JournalQuery, PendingRow } from "../../src/contract/journal-query.ts";
import { DiskTables, type DiskRow } from "./fake-journal-tables.ts";

type Waiting =
  | { readonly writes: readonly JournalWrite[]; readonly settle: PromiseWithResolvers<readonly WriteResult[]> }
  | { readonly writes: null; readonly ask: () => unknown };

/** Every answer of a {@link FakeJournal}. */
type Answers = {
  readonly [Name in JournalQuery]: (args: JournalQueries[Name]["args"]) => JournalQueries[Name]["answer"];
};

/** A {@link Journal} without a disk. By itself it finishes each commit in a microtask. */
export class FakeJournal implements Journal {
  readonly opened;
  /** The writes of every applied transaction, oldest first. */
  readonly commits: (readonly JournalWrite[])[] = [];
  /** Questions asked, oldest first. */
  readonly asked: JournalQuery[] = [];
  readonly #tables: DiskTables;
  readonly #waiting: Waiting[] = [];
  readonly #listeners: ((trouble: string | null) => void)[] = [];
  #isHeld = false;
  #areQuestionsHeld = false;
  #failure: GatewayError | null = null;
  #trouble: string | null = null;

  constructor(tables: DiskTables = new DiskTables()) {
    this.#tables = tables;
    this.opened = {
      nextSeq: tables.highestSeq + 1,
      nextSendSeq: tables.sends.size + 1,
      nextCursor: 1,
      setAsidePath: null,
    };
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  set trouble(trouble: string | null) {
    this.#trouble = trouble;
    for (const listener of this.#listeners) listener(trouble);
  }

  /** Commits not finished yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** All rows that ever came in, by seq. */
  get rows(): ReadonlyMap<number, DiskRow> {
    return this.#tables.rows;
  }

  /** Outbound sends by idempotency key. */
  get sends(): ReadonlyMap<string, { readonly id: string }> {
    return this.#tables.sends;
  }

  onTrouble(listener: (trouble: string | null) => void): void {
    this.#listeners.push(listener);
  }

  /** From now on commits wait for {@link FakeJournal.finish}, and so do questions, in their turn, where that is asked for. */
  hold(options: { readonly questions?: boolean } = {}): void {
    this.#isHeld = true;
    this.#areQuestionsHeld = options.questions ?? false;
  }

  /** Finishes what waits or is about to, or so many of it, and lets its followers run. */
  async finish(count = Infinity): Promise<void> {
    await settled();
    for (let done = 0; done < count && this.#waiting.length > 0; done += 1) this.#applyNext();
    await settled();
  }

  /** Finishes what waits, and everything from now on by itself. */
  async resume(): Promise<void> {
    this.#isHeld = false;
    await this.finish();
  }

  /** Every commit and question fails with `error` until it is `null` again. */
  fail(error: GatewayError | null): void {
    this.#failure = error;
  }

  /** The journal as the next start finds it. `isLastApplied`: what waited had reached the disk, only the answer had not come. */
  reopen(options: { readonly isLastApplied?: boolean } = {}): FakeJournal {
    const waiting = this.#waiting.splice(0);
    if (options.isLastApplied === true) for (const { writes } of waiting) this.#tables.apply(writes ?? []);
    this.#isHeld = true;
    return new FakeJournal(this.#tables);
  }

  commit(writes: readonly JournalWrite[]): Promise<readonly WriteResult[]> {
    const settle = Promise.withResolvers<readonly WriteResult[]>();
    this.#waiting.push({ writes, settle });
    if (!this.#isHeld) queueMicrotask(() => this.#applyNext());
    return settle.promise;
  }

  async query<Name extends JournalQuery>(
    name: Name,
    args: JournalQueries[Name]["args"],
  ): Promise<JournalQueries[Name]["answer"]> {
    this.asked.push(name);
    const answer = (): JournalQueries[Name]["answer"] => {
      if (this.#failure !== null) throw this.#failure;
      return this.#answers[name](args);
    };
    if (this.#isHeld && this.#areQuestionsHeld) {
      // In its turn: as things are then, and not when the answer is heard.
      return new Promise((resolve, reject) => {
        this.#waiting.push({ writes: null, ask: () => Promise.try(answer).then(resolve, reject) });
      });
    }
    await Promise.resolve();
    return answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resume();
  }

  #applyNext(): void {
    // Held meanwhile: the test finishes it.
    if (this.#waiting.length === 0) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    if (next.writes === null) return void next.ask();
    if (this.#failure !== null) return next.settle.reject(this.#failure);
    const results = this.#tables.apply(next.writes);
    this.commits.push(next.writes);
    next.settle.resolve(results);
  }

  readonly #answers: Answers = {
    pending: ({ afterSeq, limit }) => this.#pending((row) => row.seq > afterSeq, limit),
    lane: ({ key, conversation, afterSeq, limit }) =>
      this.#pending((row) => row.key === key && row.conversation === conversation && row.seq > afterSeq, limit),
    backlog: ({ key, consumer, afterSeq, upToSeq, limit }) =>
      this.#pending(
        (row) => row.key === key && row.consumer === consumer && row.seq > afterSeq && row.seq <= upToSeq,
        limit,
      ),
    payloads: ({ seqs }) => this.#find(seqs).map(({ seq, payload }) => ({ seq, payload })),
    headers: ({ seqs }) => this.#find(seqs).map(({ seq, header }) => ({ seq, header })),
    deadLetters: ({ afterSeq, limit }) =>
      this.#in("dead")
        .filter((row) => row.seq > afterSeq)
        .slice(0, limit)
        .map(deadRow),
    deadLetter: ({ id }) => {
      const row = this.#in("dead").find((dead) => dead.id === id);
      return row === undefined ? null : { row: deadRow(row), payload: row.payload };
    },
    message: ({ id }) => [...this.#tables.rows.values()].find((row) => row.id === id) ?? null,
    openSends: () => [],
    heldSends: () => ({ due: [], nextDueAtMs: null }),
    send: () => null,
    mail: () => [],
    scope: ({ scope }) => Object.fromEntries(this.#tables.scopes.get(scope) ?? []),
    counts: () => this.#tables.counts(),
  };

  #in(state: DiskRow["state"]): DiskRow[] {
    return [...this.#tables.rows.values()].filter((row) => row.state === state);
  }

  #pending(isWanted: (row: DiskRow) => boolean, limit: number): PendingRow[] {
    const found: PendingRow[] = [];
    for (const row of this.#tables.rows.values()) {
      if (found.length === limit) break;
      if (row.state === "pending" && isWanted(row)) found.push(pendingRow(row));
    }
    return found;
  }

  #find(seqs: readonly number[]): DiskRow[] {
    return seqs.flatMap((seq) => this.#tables.rows.get(seq) ?? []);
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
}

function pendingRow(row: DiskRow): PendingRow {
  const { seq, id, key, conversation, consumer, attempt, notBeforeMs, leased, atMs } = row;
  return { seq, id, key, conversation, consumer, attempt, notBeforeMs, leased, bytes: row.payload.length, atMs };
}

function deadRow(row: DiskRow): DeadLetterRow {
  return { ...pendingRow(row), reason: row.reason, deadAtMs: row.deadAtMs, error: row.error };
}
