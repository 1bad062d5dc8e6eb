/** Keeps the journal's thread alive: one at a time, the next one when the last is gone, not too fast. */
import { GatewayError } from "../contract/errors.ts";
import type { JournalOpened } from "../contract/journal.ts";
import type { FromJournalThread, JournalCheck, JournalTask, ToJournalThread } from "../contract/journal-wire.ts";
import type { Logger } from "../support/logger.ts";
import { after, withDeadline } from "../support/time.ts";
import { JournalThread } from "./journal-thread.ts";

/** What a keeper is made with. */
export type ThreadKeeperOptions = {
  readonly entryUrl: string;
  readonly task: Omit<JournalTask, "check">;
  readonly logger: Logger;
};

/** What a thread that has its file open says. */
export type WorkingMessage = Exclude<FromJournalThread, { readonly kind: "opened" | "failed" }>;

/** What the keeper's owner hears. */
export type ThreadKeeperListener = {
  /** A thread has its file open. */
  onOpened(): void;
  onMessage(message: WorkingMessage): void;
  /** A thread is gone, or could not open its file; another will come. */
  onLost(why: string): void;
};

/** A check of a large file that showed damage takes its time; so does a write-ahead log left by a killed process. */
const openDeadlineMs = 60_000;
const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** The thread and its successors. */
export class ThreadKeeper {
  readonly #options: ThreadKeeperOptions;
  readonly #listener: ThreadKeeperListener;
  readonly #firstOpened = Promise.withResolvers<void>();
  #opened: JournalOpened | null = null;
  #thread: JournalThread | null = null;
  #isReady = false;
  #isClosing = false;
  #delayMs = firstDelayMs;
  #respawn: Disposable | null = null;
  #check: JournalCheck = "auto";
  #failure: GatewayError | null = null;

  constructor(options: ThreadKeeperOptions, listener: ThreadKeeperListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /**
   * Starts the first thread and waits for its file.
   * @throws {GatewayError} `journal_unavailable` when that one cannot open it.
   */
  async open(): Promise<void> {
    this.#spawn();
    await withDeadline(this.#firstOpened.promise, openDeadlineMs, "Opening the journal").catch((reason: Error) => {
      throw reason instanceof GatewayError ? reason : new GatewayError("journal_unavailable", reason.message);
    });
  }

  /** A thread is there and has its file open. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** What the first thread found, and where the last damaged file went. */
  get opened(): JournalOpened {
    if (this.#opened === null) throw new GatewayError("internal", "Cannot tell what the journal found: it is not open");
    return this.#opened;
  }

  /** Sends to the thread; without one that is ready, nothing happens. */
  post(message: ToJournalThread, bytes?: Uint8Array<ArrayBuffer>): void {
    if (this.#isReady) this.#thread?.post(message, bytes);
  }

  /** The thread has done something: the next death is a first one. */
  worked(): void {
    this.#delayMs = firstDelayMs;
  }

  /** Closes the file and ends the thread, one way or another within twice `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    this.#respawn?.[Symbol.dispose]();
    await this.#thread?.close(deadlineMs);
  }

  #spawn(): void {
    const { entryUrl, task } = this.#options;
    this.#failure = null;
    this.#thread = new JournalThread(
      entryUrl,
      { ...task, check: this.#check },
      {
        onMessage: (message) => this.#onMessage(message),
        onGone: (cause) => this.#onGone(cause),
      },
    );
  }

  #onMessage(message: FromJournalThread): void {
    if (message.kind === "opened") return this.#onOpened(message.opened);
    if (message.kind !== "failed") return this.#listener.onMessage(message);
    this.#failure = GatewayError.fromReport(message.error);
    this.#isReady = false;
    if (message.isDamaged) this.#check = "full";
  }

  #onOpened(opened: JournalOpened): void {
    // The coordinator's numbers go on; only a later thread's set-aside file is news.
    this.#opened =
      this.#opened === null || opened.setAsidePath === null
        ? (this.#opened ?? opened)
        : { ...this.#opened, setAsidePath: opened.setAsidePath };
    if (opened.setAsidePath !== null)
      this.#options.logger.error("journal-set-aside", {
        path: this.#options.task.path,
        setAsidePath: opened.setAsidePath,
      });
    this.#isReady = true;
    this.#check = "skip";
    this.#firstOpened.resolve();
    this.#listener.onOpened();
  }

  #onGone(cause: string | null): void {
    this.#thread = null;
    this.#isReady = false;
    if (this.#isClosing) return;
    const error =
      this.#failure ?? new GatewayError("journal_unavailable", `The journal's thread ended: ${cause ?? "by itself"}`);
    if (this.#opened === null) {
      // The caller of open() decides; a thread that cannot even begin is not tried again.
      this.#isClosing = true;
      return this.#firstOpened.reject(error);
    }
    this.#options.logger.error("journal-thread-lost", { error: error.message, retryMs: this.#delayMs });
    this.#respawn = after(this.#delayMs, () => this.#spawn());
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    this.#listener.onLost(error.message);
  }
}
