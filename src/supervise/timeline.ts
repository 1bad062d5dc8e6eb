/** What happened to one adapter: its history, and how often it was restarted and why. */
import type { HistoryEntry } from "../contract/control.ts";
import type { Reason } from "../contract/status.ts";

/** So many entries are kept. */
export const historyLimit = 200;

/** One adapter's past. */
export class Timeline {
  #entries: HistoryEntry[] = [];
  readonly #restartsByReason: Partial<Record<Reason, number>> = {};
  #restarts = 0;

  /** How often a generation followed another. */
  get restarts(): number {
    return this.#restarts;
  }

  /** The same by cause. */
  get restartsByReason(): Readonly<Partial<Record<Reason, number>>> {
    return this.#restartsByReason;
  }

  /** One more entry; the oldest goes. */
  push(entry: HistoryEntry): void {
    this.#entries.push(entry);
    // Cut in blocks, so that a busy timeline is not copied at every entry.
    if (this.#entries.length >= historyLimit * 2) this.#entries = this.#entries.slice(-historyLimit);
  }

  /** The last entry; `null`: there is none. */
  get latest(): HistoryEntry | null {
    return this.#entries.at(-1) ?? null;
  }

  /** At most {@link historyLimit}, oldest first. */
  entries(): readonly HistoryEntry[] {
    return this.#entries.slice(-historyLimit);
  }

  /** A generation follows another. */
  countRestart(cause: Reason): void {
    this.#restarts += 1;
    this.#restartsByReason[cause] = (this.#restartsByReason[cause] ?? 0) + 1;
  }
}
