/**
 * The journal's coordinator side: commits are gathered into groups, one group is on its way at a time, and a thread that
 * died is replaced and sent the same group again.
 */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, JournalOpened, JournalWrite, WriteResult } from "../contract/journal.ts";
import type { JournalQueries, JournalQuery } from "../contract/journal-query.ts";
import type { Durability } from "../contract/journal-wire.ts";
import type { Logger } from "../support/logger.ts";
import { after, every, withDeadline } from "../support/time.ts";
import { CommitGroup } from "./commit-group.ts";
import { CommitQueue, sizeOf } from "./commit-queue.ts";
import { QuestionDesk } from "./question-desk.ts";
import { ThreadKeeper, type WorkingMessage } from "./thread-keeper.ts";
import { Trouble } from "./trouble.ts";

/** What {@link startJournal} takes. */
export type JournalOptions = {
  /** Of the file, absolute; `null`: in memory. */
  readonly path: string | null;
  readonly durability: Durability;
  /** Extra time to gather a group; 0: commit as soon as something waits. Milliseconds. */
  readonly groupCommitMs: number;
  /** File URL of the thread's entry. */
  readonly entryUrl: string;
  readonly logger: Logger;
  /**
   * What may wait to be committed; more is refused.
   * @default 134_217_728
   */
  readonly maxQueuedBytes?: number;
  /** The most pages of 4 KiB the file may have, for tests of a full disk. */
  readonly maxPages?: number;
};

const defaultMaxQueuedBytes = 128 * 2 ** 20;
/** A group that was there at so many deaths of the thread is taken for their cause. */
const mostDeathsPerGroup = 5;
const tickMs = 1_000;
/** A group unanswered for so many ticks: the disk hangs. */
const silentTicks = 10;
const drainDeadlineMs = 5_000;
const closeDeadlineMs = 3_000;

/**
 * Opens, or makes, the journal at `path`.
 * @throws {GatewayError} `journal_unavailable` when it cannot be opened; later troubles are survived.
 */
export function startJournal(options: JournalOptions): Promise<Journal> {
  return ThreadJournal.start(options);
}

class ThreadJournal implements Journal {
  readonly #logger: Logger;
  readonly #groupCommitMs: number;
  readonly #maxQueuedBytes: number;
  readonly #keeper: ThreadKeeper;
  readonly #queue = new CommitQueue();
  readonly #questions = new QuestionDesk();
  readonly #trouble = new Trouble(() => this.#queue.rejectAll(this.#unavailable()));
  readonly #ticker: Disposable;
  /** The one group on its way. Only a thread can tell what became of it, so it waits for one however long that takes. */
  #group: CommitGroup | null = null;
  #lastGroup = 0;
  #isGathering = false;
  #closing: Promise<void> | null = null;
  readonly #drained = Promise.withResolvers<void>();

  static async start(options: JournalOptions): Promise<ThreadJournal> {
    const journal = new ThreadJournal(options);
    try {
      await journal.#keeper.open();
      return journal;
    } catch (reason) {
      await journal[Symbol.asyncDispose]();
      throw reason;
    }
  }

  private constructor(options: JournalOptions) {
    const { path, durability, entryUrl, logger, maxPages = null } = options;
    this.#logger = logger;
    this.#groupCommitMs = options.groupCommitMs;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? defaultMaxQueuedBytes;
    this.#keeper = new ThreadKeeper(
      { entryUrl, logger, task: { path, durability, maxPages } },
      {
        onOpened: () => this.#onOpened(),
        onMessage: (message) => this.#onMessage(message),
        onLost: (why) => this.#onLost(why),
      },
    );
    this.#ticker = every(
      tickMs,
      () => this.#tick(),
      (reason) => logger.error("journal-tick-failed", { error: String(reason) }),
    );
  }

  get opened(): JournalOpened {
    return this.#keeper.opened;
  }

  get trouble(): string | null {
    return this.#trouble.reason;
  }

  onTrouble(listener: (trouble: string | null) => void): void {
    this.#trouble.listen(listener);
  }

  commit(writes: readonly JournalWrite[]): Promise<readonly WriteResult[]> {
    if (writes.length === 0) return Promise.resolve([]);
    // A prune is always tried: it may be what makes room on a full disk.
    const isHopeless = this.#trouble.isHopeless && writes.some((write) => write.op !== "prune");
    if (this.#closing !== null || isHopeless) return Promise.reject(this.#unavailable());
    const bytes = sizeOf(writes);
    if (this.#queue.length > 0 && this.#queue.bytes + bytes > this.#maxQueuedBytes) {
      const found = `${this.#queue.bytes} bytes already wait, at most ${this.#maxQueuedBytes} may`;
      return Promise.reject(new GatewayError("journal_unavailable", `Cannot write the journal: ${found}`));
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly WriteResult[]>();
    this.#queue.push({ writes, bytes, resolve, reject });
    this.#gather();
    return promise;
  }

  query<Name extends JournalQuery>(
    name: Name,
    args: JournalQueries[Name]["args"],
  ): Promise<JournalQueries[Name]["answer"]> {
    if (this.#closing !== null) return Promise.reject(this.#unavailable());
    return this.#questions.ask(name, args, (message) => this.#keeper.post(message));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#group !== null || this.#queue.length > 0)
      await withDeadline(this.#drained.promise, drainDeadlineMs, "Writing what waits").catch(() =>
        this.#logger.warn("journal-closed-with-commits-waiting", { commits: this.#queue.length }),
      );
    this.#ticker[Symbol.dispose]();
    await this.#keeper.close(closeDeadlineMs);
    this.#trouble.end();
    this.#rejectGroup(this.#unavailable());
    this.#queue.rejectAll(this.#unavailable());
    this.#questions.rejectAll(this.#unavailable());
  }

  #unavailable(): GatewayError {
    return new GatewayError("journal_unavailable", `Cannot use the journal: ${this.#trouble.reason ?? "it is closed"}`);
  }

  #canSend(): boolean {
    return this.#group === null && this.#keeper.isReady && this.#trouble.reason === null;
  }

  /** A group begins once all that is being committed in this turn is there. */
  #gather(): void {
    if (this.#isGathering || !this.#canSend()) return;
    this.#isGathering = true;
    const send = (): void => {
      this.#isGathering = false;
      if (this.#canSend()) this.#sendNext();
    };
    if (this.#groupCommitMs > 0 && this.#closing === null) after(this.#groupCommitMs, send);
    else setImmediate(send);
  }

  #sendNext(): void {
    const commits = this.#queue.takeGroup();
    if (commits.length === 0) return this.#closing === null ? undefined : this.#drained.resolve();
    this.#lastGroup += 1;
    this.#group = new CommitGroup(this.#lastGroup, commits);
    this.#sendGroup(this.#group);
  }

  #sendGroup(group: CommitGroup): void {
    const encoded = group.encode();
    this.#keeper.post({ kind: "group", number: group.number, ...encoded }, encoded.bytes);
  }

  #onMessage(message: WorkingMessage): void {
    if (message.kind === "answer" || message.kind === "unanswered") return this.#questions.settle(message);
    this.#keeper.worked();
    if (message.kind === "refused") return this.#onRefused(message.number, GatewayError.fromReport(message.error));
    const group = this.#group;
    if (message.kind === "done" && group?.number === message.number) {
      this.#group = null;
      group.settle(message);
    }
    this.#trouble.end();
    this.#gather();
  }

  #onRefused(number: number | null, error: GatewayError): void {
    if (this.#trouble.reason === null) this.#logger.error("journal-unavailable", { error: error.message });
    this.#trouble.begin(error.message);
    const group = this.#group;
    if (group === null || group.number !== number) return;
    if (this.#trouble.isHopeless) return this.#rejectGroup(error);
    this.#group = null;
    this.#queue.putBack(group.commits);
  }

  #onOpened(): void {
    this.#questions.askAgain((message) => this.#keeper.post(message));
    if (this.#group !== null) this.#sendGroup(this.#group);
    else if (this.#trouble.reason !== null) this.#keeper.post({ kind: "probe" });
    else this.#gather();
  }

  #onLost(why: string): void {
    this.#trouble.begin(why);
    const group = this.#group;
    if (group === null) return;
    group.deaths += 1;
    group.ticks = 0;
    if (group.deaths >= mostDeathsPerGroup) this.#rejectGroup(this.#unavailable());
  }

  #rejectGroup(error: GatewayError): void {
    const group = this.#group;
    this.#group = null;
    group?.reject(error);
  }

  /** In trouble: tries again. With a group on its way: watches for a disk that hangs. */
  #tick(): void {
    if (!this.#keeper.isReady) return;
    if (this.#group !== null) {
      this.#group.ticks += 1;
      if (this.#group.ticks === silentTicks)
        this.#trouble.begin(`its thread has not answered for ${(silentTicks * tickMs) / 1_000} s`);
    } else if (this.#trouble.reason !== null) {
      if (this.#queue.length > 0) this.#sendNext();
      else this.#keeper.post({ kind: "probe" });
    }
  }
}
