/** Reads backlogs page by page, as lanes become free. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal } from "../contract/journal.ts";
import type { PendingRow } from "../contract/journal-query.ts";
import type { Logger } from "../support/logger.ts";
import type { Backlog } from "./backlog.ts";
import { DelayQueue } from "./delay-queue.ts";
import type { LaneLimits } from "./lane-limits.ts";

const readRetryMs = 1_000;

/** What {@link BacklogReader} needs. */
export type BacklogReaderOptions = {
  readonly journal: Pick<Journal, "query">;
  /** Resolves when all that is settled so far is on disk. */
  readonly settled: () => Promise<void>;
  readonly limits: LaneLimits;
  /** Lanes that may be opened for it now; 0 or less: none. */
  readonly roomFor: (backlog: Backlog) => number;
  /** Puts a page into lanes. Returns the number it came to when there was no more room, else `null`. */
  readonly take: (backlog: Backlog, rows: readonly PendingRow[]) => number | null;
  /** A page has been taken. */
  readonly onRead: () => void;
  readonly logger: Logger;
  readonly now: () => number;
};

/** One page of a backlog at a time. */
export class BacklogReader implements Disposable {
  readonly #options: BacklogReaderOptions;
  readonly #retries: DelayQueue<Backlog>;

  constructor(options: BacklogReaderOptions) {
    this.#options = options;
    this.#retries = new DelayQueue({
      due: (backlogs) => backlogs.forEach((backlog) => this.readMore(backlog)),
      now: options.now,
    });
  }

  /** A lane was freed: reads on where there is anything. */
  readMore(backlog: Backlog): void {
    if (backlog.isReading || !backlog.isBehind || this.#options.roomFor(backlog) <= 0) return;
    backlog.begin();
    void this.#read(backlog);
  }

  /** Nothing is read any more. */
  [Symbol.dispose](): void {
    this.#retries[Symbol.dispose]();
  }

  async #read(backlog: Backlog): Promise<void> {
    const { journal, settled, limits, roomFor, take, onRead, logger, now } = this.#options;
    const { key } = backlog.adapter;
    try {
      // Whoever freed the lane writes why in this tick.
      await Promise.resolve();
      // What is done and not yet on disk as such would come a second time; what is done from here on is noted.
      await settled();
      const range = backlog.range(limits.pageSeqs);
      const limit = Math.max(1, Math.min(limits.pageRows, roomFor(backlog)));
      const rows = await journal.query("backlog", { key, consumer: backlog.consumer, ...range, limit });
      const readUpTo = rows.length < limit ? range.upToSeq : (rows.at(-1)?.seq ?? range.upToSeq);
      backlog.end(take(backlog, rows) ?? readUpTo);
    } catch (reason) {
      backlog.end(null);
      logger.warn("backlog-not-read", { key, consumer: backlog.consumer, error: GatewayError.from(reason).message });
      this.#retries.push(now() + readRetryMs, backlog);
      return;
    }
    onRead();
    this.readMore(backlog);
  }
}
