/** One adapter's lanes by conversation, and its backlogs by consumer. */
import { Backlog } from "./backlog.ts";
import type { Lane } from "./lane.ts";

/** One adapter's share of all lanes. */
export class AdapterLanes {
  readonly key: string;
  readonly lanes = new Map<string, Lane>();
  /** How many of its backlogs have something on disk that no lane knows of. */
  behind = 0;
  /** Backlogs that read a page now. */
  readonly reading = new Set<Backlog>();
  readonly #backlogs = new Map<string, Backlog>();

  constructor(key: string) {
    this.key = key;
  }

  /** The newest message that any of its backlogs has left on disk. */
  get leftUpTo(): number {
    let newest = 0;
    for (const { upTo } of this.#backlogs.values()) newest = Math.max(newest, upTo);
    return newest;
  }

  /** Its backlog for a consumer, made on first mention. */
  backlog(consumer: string): Backlog {
    let backlog = this.#backlogs.get(consumer);
    if (backlog === undefined) {
      backlog = new Backlog(this, consumer);
      this.#backlogs.set(consumer, backlog);
    }
    return backlog;
  }

  /** One of its messages is done. */
  noteDone(seq: number): void {
    if (this.reading.size > 0) for (const backlog of this.reading) backlog.noteDone(seq);
  }
}
