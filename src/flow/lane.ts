/** One conversation of one adapter: delivered in order, one message at a time. */
import type { Backlog } from "./backlog.ts";
import type { Entry } from "./entry.ts";

/** What a lane's head is doing. `empty`: none in memory, more on disk. */
export type LaneState = "empty" | "ready" | "delayed" | "leased" | "rerouting";

/** A conversation with work. Changed by {@link Lanes}, but for its state. */
export class Lane {
  readonly conversation: string;
  /** What it was opened for; its messages may be for other consumers too. */
  readonly backlog: Backlog;
  /** The head first; it stays until it is done. In order of `seq`. */
  readonly entries: Entry[] = [];
  state: LaneState = "empty";
  isReading = false;
  /** What is on disk has changed since the read began: its answer may lack something. */
  isAnswerStale = false;
  /** An older message was left on disk: what is read after it may be done. */
  isRewound = false;
  /** Everything of this lane up to here is or was in memory, and what it was rewound over is too; 0: nothing has been looked at. */
  readUpTo = 0;
  /** The newest of this lane that was left on disk. */
  diskUpTo = 0;
  /** Opened by a page of its backlog: what is left there may have more of it. */
  isFromBacklog = false;

  constructor(backlog: Backlog, conversation: string) {
    this.backlog = backlog;
    this.conversation = conversation;
  }

  /** The adapter's runtime key. */
  get key(): string {
    return this.backlog.adapter.key;
  }

  /** There are messages after those in memory. */
  get hasMoreOnDisk(): boolean {
    return this.diskUpTo > this.readUpTo;
  }

  /** There may be: a newer one must not come before them. */
  get mayHaveMoreOnDisk(): boolean {
    return this.hasMoreOnDisk || (this.isFromBacklog && this.backlog.adapter.behind > 0);
  }
}
