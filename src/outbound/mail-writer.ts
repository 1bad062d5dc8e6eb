/**
 * Replies to pull adapters that are made before their message is settled. Such a handler may run again and make the same
 * reply again, so it takes two transactions: a send row, which knows its idempotency key, and then the mail. A crash
 * between the two leaves the row `queued`; it is completed when the adapter runs next.
 */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, SendRow } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { sleep, steadyNow } from "../support/time.ts";
import type { Mail } from "./mail-cache.ts";
import { stateWrite } from "./send-state.ts";

const retryMs = 1000;
const pageRows = 200;
const noBytes = new Uint8Array(0);

/** What it writes with. `nextCursor` gives each mail its place. */
export type MailWriterParts = {
  readonly journal: Journal;
  readonly logger: Logger;
  readonly nextCursor: () => number;
  readonly onWritten: (mail: Mail) => void;
};

/** Turns send rows of pull adapters into mail. */
export class MailWriter implements Disposable {
  readonly #parts: MailWriterParts;
  /** Rows of this process: they are completed by whoever made them. */
  readonly #ownIds = new Set<string>();
  readonly #recovered = new Set<string>();
  /** By runtime key: one reader at a time, or two would write one row's mail twice. */
  readonly #completing = new Map<string, Promise<void>>();
  readonly #ended = new AbortController();

  constructor(parts: MailWriterParts) {
    this.#parts = parts;
  }

  /** Runs `write`, which puts the row on disk; meanwhile no recovery takes it for a left-over. `null`: it is there, {@link complete} it. */
  async claim<Known>(row: SendRow, write: () => Promise<Known | null>): Promise<Known | null> {
    this.#ownIds.add(row.id);
    let isMine = false;
    try {
      const known = await write();
      isMine = known === null;
      return known;
    } finally {
      if (!isMine) this.#ownIds.delete(row.id);
    }
  }

  /** Row and mail in one transaction, for a key that cannot be known yet. @throws {GatewayError} `journal_unavailable`. */
  async writeNew(row: SendRow): Promise<void> {
    const mail = this.#mailOf(row);
    const confirmed: SendRow = { ...row, state: "confirmed", response: noBytes };
    await this.#parts.journal.commit([
      { op: "send", send: confirmed },
      { op: "mail", ...mail },
    ]);
    this.#parts.onWritten(mail);
  }

  /** Writes the mail of a row that is on disk; resolves when it is there too, or the gateway ends. */
  async complete(row: SendRow): Promise<void> {
    const mail = this.#mailOf(row);
    while (!this.#ended.signal.aborted) {
      try {
        await this.#parts.journal.commit([{ op: "mail", ...mail }, stateWrite(row, "confirmed", { attempts: 1 })]);
        this.#ownIds.delete(row.id);
        this.#parts.onWritten(mail);
        return;
      } catch (reason) {
        this.#parts.logger.warn("mail-not-written", { sendId: row.id, error: GatewayError.from(reason).message });
        await this.#pause();
      }
    }
  }

  /** Completes what a crash left between the two transactions, once per runtime key. */
  async recover(key: string): Promise<void> {
    if (this.#recovered.has(key)) return;
    this.#recovered.add(key);
    await this.completeFrom(key, 1);
  }

  /** Completes the open rows of `key` from `firstSeq` on, but for those that somebody here is at. Never rejects. */
  completeFrom(key: string, firstSeq: number): Promise<void> {
    const before = this.#completing.get(key) ?? Promise.resolve();
    const run = before.then(() => this.#completeAfter(key, firstSeq - 1));
    this.#completing.set(key, run);
    return run.finally(() => {
      if (this.#completing.get(key) === run) this.#completing.delete(key);
    });
  }

  async #completeAfter(key: string, seq: number): Promise<void> {
    let afterSeq = seq;
    while (!this.#ended.signal.aborted) {
      try {
        const rows = await this.#parts.journal.query("openSends", { key, afterSeq, limit: pageRows });
        // Told apart before anything is awaited: an own row may be completed and forgotten while others are written.
        for (const row of rows.filter(({ id }) => !this.#ownIds.has(id))) await this.complete(row);
        const last = rows.at(-1);
        if (last === undefined || rows.length < pageRows) return;
        afterSeq = last.seq;
      } catch (reason) {
        this.#parts.logger.warn("sends-not-read", { key, error: GatewayError.from(reason).message });
        await this.#pause();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The gateway is shutting down"));
  }

  #mailOf({ key, conversation, response }: SendRow): Mail {
    return { key, conversation, cursor: this.#parts.nextCursor(), response, atMs: steadyNow() };
  }

  async #pause(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    await sleep(retryMs, this.#ended.signal).catch(() => {
      // Being disposed: the loop's condition ends it, the next start completes the row.
    });
  }
}
