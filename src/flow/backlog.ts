/**
 * What one adapter has for one consumer. Where there are too many conversations, new ones are left on disk, and from then
 * on all that is new, so that the oldest is read back first: its backlog is a range of numbers and takes no memory.
 */
import type { AdapterLanes } from "./adapter-lanes.ts";

/** The lanes of one adapter that were opened for one consumer, and what was left on disk. */
export class Backlog {
  readonly adapter: AdapterLanes;
  readonly consumer: string;
  /** How many are in memory. */
  lanes = 0;
  isReading = false;
  /** What was left on disk is after this number … */
  #afterSeq = 0;
  /** … and up to this one. Between them there may be others', and such as are in memory. */
  #upTo = 0;
  /** Something older was left while a page was read: reading goes on from there. */
  #rewoundTo = Infinity;
  /** Done since the page was asked for: its rows may still say that they wait. */
  readonly #done = new Set<number>();

  constructor(adapter: AdapterLanes, consumer: string) {
    this.adapter = adapter;
    this.consumer = consumer;
  }

  /** Something is left on disk that no lane knows of. */
  get isBehind(): boolean {
    return this.#upTo > this.#afterSeq;
  }

  /** The newest that was left. */
  get upTo(): number {
    return this.#upTo;
  }

  /** This one stays on disk. */
  leave(seq: number): void {
    if (this.isBehind) {
      this.#afterSeq = Math.min(this.#afterSeq, seq - 1);
      this.#upTo = Math.max(this.#upTo, seq);
    } else {
      this.#afterSeq = seq - 1;
      this.#upTo = seq;
      this.adapter.behind += 1;
    }
    this.#rewoundTo = Math.min(this.#rewoundTo, seq - 1);
  }

  /** A page is about to be read. */
  begin(): void {
    this.isReading = true;
    this.#rewoundTo = Infinity;
    this.#done.clear();
    this.adapter.reading.add(this);
  }

  /** The next page's numbers, at most so many. */
  range(pageSeqs: number): { readonly afterSeq: number; readonly upToSeq: number } {
    return { afterSeq: this.#afterSeq, upToSeq: Math.min(this.#upTo, this.#afterSeq + pageSeqs) };
  }

  /** A message of this adapter is done. */
  noteDone(seq: number): void {
    this.#done.add(seq);
  }

  /** It was done while the page was read. */
  isDone(seq: number): boolean {
    return this.#done.has(seq);
  }

  /** A page has been read, and what it has up to `seq` is in lanes; `null`: it could not be read. */
  end(seq: number | null): void {
    this.isReading = false;
    this.adapter.reading.delete(this);
    this.#done.clear();
    if (seq === null) return;
    this.#afterSeq = Math.min(seq, this.#rewoundTo);
    if (!this.isBehind) this.adapter.behind -= 1;
  }
}
