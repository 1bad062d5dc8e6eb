/** Reads on, lane by lane, where a lane has more on disk than in memory. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal } from "../contract/journal.ts";
import type { PendingRow } from "../contract/journal-query.ts";
import type { Logger } from "../support/logger.ts";
import { DelayQueue } from "./delay-queue.ts";
import type { Lane } from "./lane.ts";

const readRetryMs = 1_000;

/** What {@link LaneReader} needs. */
export type LaneReaderOptions = {
  readonly journal: Pick<Journal, "query">;
  /** Resolves when all that is settled so far is on disk. */
  readonly settled: () => Promise<void>;
  /** How many more messages the lane may have in memory. */
  readonly roomIn: (lane: Lane) => number;
  /** Puts the lane's next messages into memory, in order. Returns how many there was room for. */
  readonly take: (lane: Lane, rows: readonly PendingRow[]) => number;
  /** Nothing was left of it. */
  readonly onEmpty: (lane: Lane) => void;
  /** An answer has been taken. */
  readonly onRead: () => void;
  readonly logger: Logger;
  readonly now: () => number;
};

/** One read of each lane at a time. */
export class LaneReader implements Disposable {
  readonly #options: LaneReaderOptions;
  readonly #retries: DelayQueue<Lane>;

  constructor(options: LaneReaderOptions) {
    this.#options = options;
    this.#retries = new DelayQueue({
      due: (lanes) => lanes.forEach((lane) => this.readMore(lane)),
      now: options.now,
    });
  }

  /** Reads what is next, if there is more and nothing is being read. */
  readMore(lane: Lane): void {
    // A lane without more may be gone, and another in its place.
    if (lane.isReading || !lane.hasMoreOnDisk) return;
    lane.isReading = true;
    lane.isAnswerStale = false;
    void this.#read(lane);
  }

  /** Nothing is read any more. */
  [Symbol.dispose](): void {
    this.#retries[Symbol.dispose]();
  }

  async #read(lane: Lane): Promise<void> {
    const { journal, settled, roomIn, take, onEmpty, onRead, logger, now } = this.#options;
    try {
      // What it had before and is done must be on disk as such where it is read again.
      if (lane.readUpTo === 0 || lane.isRewound) await settled();
      const { key, conversation, readUpTo: afterSeq, diskUpTo } = lane;
      const limit = roomIn(lane);
      const rows = await journal.query("lane", { key, conversation, afterSeq, limit });
      lane.isReading = false;
      if (!lane.isAnswerStale) {
        const left = rows[take(lane, rows)];
        // The last row may be newer than all that was announced.
        const newest = Math.max(rows.length < limit ? diskUpTo : 0, rows.at(-1)?.seq ?? 0);
        lane.readUpTo = Math.max(lane.readUpTo, left === undefined ? newest : left.seq - 1);
        if (left !== undefined) lane.diskUpTo = Math.max(lane.diskUpTo, newest);
        if (!lane.hasMoreOnDisk) lane.isRewound = false;
      }
      if (lane.entries.length === 0) {
        if (lane.hasMoreOnDisk) this.readMore(lane);
        else onEmpty(lane);
      }
      onRead();
    } catch (reason) {
      lane.isReading = false;
      logger.warn("lane-not-read", { key: lane.key, error: GatewayError.from(reason).message });
      this.#retries.push(now() + readRetryMs, lane);
    }
  }
}
