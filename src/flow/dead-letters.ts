/** What no consumer would handle: listed, shown, tried again, dropped. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal } from "../contract/journal.ts";
import type { DeadLetterRow } from "../contract/journal-query.ts";
import type { Condition } from "../contract/status.ts";
import { Turns } from "../support/turns.ts";
import { entryOf } from "./entry.ts";
import type { Lanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";

const pageRows = 100;

/** What {@link DeadLetters} works on. */
export type DeadLettersOptions = {
  readonly journal: Pick<Journal, "commit" | "query">;
  readonly lanes: Lanes;
  readonly ledger: Ledger;
  readonly pump: () => void;
  readonly now: () => number;
};

/** Dead letters by message id. Every method rejects with `journal_unavailable` while the journal cannot be used. */
export class DeadLetters {
  readonly #options: DeadLettersOptions;
  /** One change at a time: the same letter twice at once would be delivered twice. */
  readonly #turns = new Turns();
  #since: string | null = null;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Those after `afterSeq` (0: from the first), oldest message first. */
  list(page: { readonly afterSeq: number; readonly limit: number }): Promise<readonly DeadLetterRow[]> {
    return this.#options.journal.query("deadLetters", page);
  }

  /** One with its payload, a StoredMessage as JSON; `null` when there is none of that id. */
  get(id: string): Promise<{ readonly row: DeadLetterRow; readonly payload: Uint8Array } | null> {
    return this.#options.journal.query("deadLetter", { id });
  }

  /** Puts one back into its lane, from attempt 1. @throws {GatewayError} `not_found`. */
  retry(id: string): Promise<void> {
    return this.#turns.take(async () => this.#revive((await this.#find(id)).row));
  }

  /** Puts all that there are now back into their lanes. Resolves with how many. */
  retryAll(): Promise<number> {
    return this.#turns.take(async () => {
      let count = 0;
      let afterSeq = 0;
      for (;;) {
        const rows = await this.list({ afterSeq, limit: pageRows });
        for (const row of rows) {
          await this.#revive(row);
          afterSeq = row.seq;
          count += 1;
        }
        if (rows.length < pageRows) return count;
      }
    });
  }

  /** Drops one for good. @throws {GatewayError} `not_found`. */
  drop(id: string): Promise<void> {
    return this.#turns.take(async () => {
      const { row } = await this.#find(id);
      await this.#options.journal.commit([{ op: "discard", seq: row.seq }]);
      this.#options.ledger.removeDead(row, true);
    });
  }

  /** `dead_letters` with their number, while there are any. */
  conditions(): Condition[] {
    const count = this.#options.ledger.dead;
    if (count === 0) {
      this.#since = null;
      return [];
    }
    this.#since ??= new Date(this.#options.now()).toISOString();
    const message = count === 1 ? "1 dead letter" : `${count} dead letters`;
    return [{ code: "dead_letters", key: null, message, since: this.#since }];
  }

  async #find(id: string): Promise<{ readonly row: DeadLetterRow; readonly payload: Uint8Array }> {
    const found = await this.get(id);
    if (found === null)
      throw new GatewayError("not_found", `Cannot find dead letter "${id}": there is none of that id`);
    return found;
  }

  async #revive(row: DeadLetterRow): Promise<void> {
    const { journal, ledger, lanes, pump } = this.#options;
    await journal.commit([{ op: "revive", seq: row.seq }]);
    ledger.removeDead(row, false);
    const entry = { ...entryOf(row), attempt: 1, notBeforeMs: 0, isLeasedOnDisk: false, isRedelivered: true };
    ledger.addPending(entry);
    lanes.insert(entry);
    pump();
  }
}
