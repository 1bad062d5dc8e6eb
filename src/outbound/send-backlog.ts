/** The part of one adapter's sends that is on disk only: what was there at the start, and what memory has no room for. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, SendRow } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { after, steadyNow } from "../support/time.ts";

/** A send that is not over. */
export type OpenSend = {
  readonly row: SendRow;
  readonly attempts: number;
  /** 0: at once. */
  readonly nextAttemptAtMs: number;
  /** It was handed to the adapter, and the answer was lost; `null`: there is no doubt about it. */
  readonly doubt: Doubt | null;
};

/** Since when, and how often its adapter has tried to find out. */
export type Doubt = { readonly sinceMs: number; readonly tries: number };

/** A send that nobody has attempted yet. */
export function unattempted(row: SendRow): OpenSend {
  return { row, attempts: 0, nextAttemptAtMs: 0, doubt: null };
}

const pageRows = 200;
const mostRows = 1000;
const mostBytes = 33_554_432;
const retryMs = 1000;

/** Keeps count of what is in memory, and reads the rest in pages as room comes free. */
export class SendBacklog implements Disposable {
  readonly #key: string;
  readonly #parts: { readonly journal: Pick<Journal, "query">; readonly logger: Logger };
  readonly #owner: { take(send: OpenSend): void; isWanted(): boolean };
  readonly #ids = new Set<string>();
  #bytes = 0;
  /** Rows after this one may be on disk only; `null`: all are in memory. */
  #afterSeq: number | null = 0;
  #cameMeanwhile = false;
  /** Where reading begins again, because of what came while a page was on its way. */
  #goBackTo = Number.POSITIVE_INFINITY;
  #isLoading = false;
  #retry: Disposable | null = null;

  constructor(
    key: string,
    parts: { readonly journal: Pick<Journal, "query">; readonly logger: Logger },
    owner: { take(send: OpenSend): void; isWanted(): boolean },
  ) {
    this.#key = key;
    this.#parts = parts;
    this.#owner = owner;
  }

  /** Nothing is on disk only. */
  get isEmpty(): boolean {
    return this.#afterSeq === null;
  }

  /** A new row. `true`: the caller keeps it; else it is found on disk when its turn comes. */
  add(row: SendRow): boolean {
    if (this.#afterSeq === null && !this.#hasRoom) this.#afterSeq = row.seq - 1;
    // A row that the last page has passed by cannot be found by the next one.
    if (this.#afterSeq === null || row.seq <= this.#afterSeq) return this.#keep(row);
    this.#cameMeanwhile = true;
    this.load();
    return false;
  }

  /** Rows from `firstSeq` on are on disk that reading may have passed by: sends that were held until now. */
  addOnDisk(firstSeq: number): void {
    this.#afterSeq = Math.min(this.#afterSeq ?? Number.POSITIVE_INFINITY, firstSeq - 1);
    this.#goBackTo = Math.min(this.#goBackTo, this.#afterSeq);
    this.load();
  }

  /** The send is over. */
  done({ row }: OpenSend): void {
    if (this.#ids.delete(row.id)) this.#bytes -= row.response.length;
    if (this.#ids.size <= mostRows - pageRows) this.load();
  }

  /** Reads on, if there is anything to read and room for it. */
  load(): void {
    if (this.#afterSeq === null || this.#isLoading || !this.#hasRoom || !this.#owner.isWanted()) return;
    this.#isLoading = true;
    void this.#loadPages().finally(() => {
      this.#isLoading = false;
    });
  }

  [Symbol.dispose](): void {
    this.#retry?.[Symbol.dispose]();
  }

  get #hasRoom(): boolean {
    return this.#ids.size < mostRows && this.#bytes < mostBytes;
  }

  async #loadPages(): Promise<void> {
    try {
      while (this.#afterSeq !== null && this.#hasRoom && this.#owner.isWanted()) {
        this.#cameMeanwhile = false;
        this.#goBackTo = Number.POSITIVE_INFINITY;
        const afterSeq: number = this.#afterSeq;
        const rows = await this.#parts.journal.query("openSends", { key: this.#key, afterSeq, limit: pageRows });
        const last = rows.at(-1);
        if (last !== undefined) this.#afterSeq = last.seq;
        if (this.#goBackTo < Number.POSITIVE_INFINITY) this.#afterSeq = this.#goBackTo;
        else if (rows.length < pageRows && !this.#cameMeanwhile) this.#afterSeq = null;
        for (const { attempts, nextAttemptAtMs, changedAtMs, ...row } of rows) {
          // Its answer was lost with the process that waited for it.
          const doubt = row.state === "attempted" ? { sinceMs: changedAtMs, tries: 0 } : null;
          // Longer than it was to wait then it does not, wherever the clock has been put meanwhile.
          const latestMs = steadyNow() + Math.max(0, nextAttemptAtMs - changedAtMs);
          const dueAtMs = Math.min(nextAttemptAtMs, latestMs);
          if (this.#keep(row)) this.#owner.take({ row, attempts, nextAttemptAtMs: dueAtMs, doubt });
        }
      }
    } catch (reason) {
      this.#parts.logger.warn("sends-not-read", { key: this.#key, error: GatewayError.from(reason).message });
      this.#retry = after(retryMs, () => this.load());
    }
  }

  #keep(row: SendRow): boolean {
    if (this.#ids.has(row.id)) return false;
    this.#ids.add(row.id);
    this.#bytes += row.response.length;
    return true;
  }
}
