/** The journal's real tables in memory, in the test's own thread: what a stage writes is read back as it would be from disk. */
import type { GatewayError } from "../../src/contract/errors.ts";
import type { Journal, JournalOpened, JournalWrite, WriteResult } from "../../src/contract/journal.ts";
import type { JournalQueries, JournalQuery } from "../../src/contract/journal-query.ts";
import { JournalStore } from "../../workers/journal-store.ts";

/** A {@link Journal} over a {@link JournalStore}. Commits finish in a microtask unless they are held. */
export class StoreJournal implements Journal {
  readonly opened: JournalOpened;
  readonly trouble = null;
  /** Every transaction that was applied, oldest first. */
  readonly commits: (readonly JournalWrite[])[] = [];
  /** Every question that was asked. */
  readonly asked: JournalQuery[] = [];
  readonly #store: JournalStore;
  readonly #waiting: (() => void)[] = [];
  #isHeld = false;
  #answers: PromiseWithResolvers<void> | null = null;
  #failure: GatewayError | null = null;
  #sendSeq: number;
  #cursor: number;

  constructor(store?: JournalStore, opened?: JournalOpened) {
    this.#store = store ?? JournalStore.open({ path: null, durability: "memory", check: "auto", maxPages: null });
    this.opened = opened ?? this.#store.opened;
    this.#sendSeq = this.opened.nextSendSeq;
    this.#cursor = this.opened.nextCursor;
  }

  /** What the next start finds; commits that are held have not reached the disk. */
  restarted(): StoreJournal {
    const numbers = { nextSendSeq: this.#sendSeq, nextCursor: this.#cursor, oldestCursor: this.opened.nextCursor };
    return new StoreJournal(this.#store, { ...this.opened, ...numbers });
  }

  /** Commits wait for {@link StoreJournal.release} from now on. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Finishes the oldest `count` held commits, in order; without a count all, and nothing is held any more. */
  release(count?: number): void {
    if (count === undefined) this.#isHeld = false;
    for (const run of this.#waiting.splice(0, count ?? Infinity)) run();
  }

  /** Questions are answered as of when they were asked, but not before the returned function is called. */
  holdAnswers(): () => void {
    const answers = Promise.withResolvers<void>();
    this.#answers = answers;
    return () => {
      this.#answers = null;
      answers.resolve();
    };
  }

  /** Every commit and question fails until it is `null` again. */
  fail(error: GatewayError | null): void {
    this.#failure = error;
  }

  async commit(writes: readonly JournalWrite[]): Promise<readonly WriteResult[]> {
    if (this.#isHeld) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    } else {
      await Promise.resolve();
    }
    if (this.#failure !== null) throw this.#failure;
    for (const write of writes) {
      if (write.op === "send") this.#sendSeq = Math.max(this.#sendSeq, write.send.seq + 1);
      if (write.op === "mail") this.#cursor = Math.max(this.#cursor, write.cursor + 1);
    }
    this.commits.push(writes);
    return this.#store.apply(writes);
  }

  async query<Name extends JournalQuery>(
    name: Name,
    args: JournalQueries[Name]["args"],
  ): Promise<JournalQueries[Name]["answer"]> {
    this.asked.push(name);
    await Promise.resolve();
    if (this.#failure !== null) throw this.#failure;
    const answer = this.#store.query(name, args);
    await this.#answers?.promise;
    return answer;
  }

  onTrouble(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
