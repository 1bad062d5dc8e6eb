/** What a consumer's answer does: to the message, to its lane, and in the journal with its reply in one transaction. */
import type { ReplyWriter, Settlement } from "../contract/delivery.ts";
import { GatewayError, type ErrorReport } from "../contract/errors.ts";
import type { JournalWrite, WriteResult } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import type { GiveBack, Lease, Line } from "./consumer-line.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import type { OutcomeWriter } from "./outcome-writer.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** A message given back again and again is not handed out again at once: whoever gives it back may do so at once too. */
const repeatedReleaseDelayMs = 250;
const reasonLimit = 2_048;

/** What {@link Outcomes} works on. */
export type OutcomesOptions = {
  readonly lanes: Lanes;
  readonly ledger: Ledger;
  readonly writer: OutcomeWriter;
  readonly replies: ReplyWriter;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  /** A lane's head may go again, now or later. */
  readonly onHead: (lane: Lane) => void;
};

/** One answer's writes, and who hears of its reply's results. */
type Writes = {
  readonly list: JournalWrite[];
  readonly replies: { readonly from: number; readonly to: number; written(results: readonly WriteResult[]): void }[];
};

/** Turns answers into writes. A lane goes on as soon as the answer is here: its next lease shares the transaction. */
export class Outcomes {
  readonly #options: OutcomesOptions;

  constructor(options: OutcomesOptions) {
    this.#options = options;
  }

  /** Applies what is still valid. Resolves when it is on disk. */
  settle(line: Line, settlements: readonly Settlement[]): Promise<void> {
    const writes: Writes = { list: [], replies: [] };
    for (const settlement of settlements) {
      const lease = line.take(settlement.receipt);
      if (lease !== undefined) this.#settleOne(line, lease, settlement, writes);
    }
    if (writes.list.length === 0) return Promise.resolve();
    return this.#write(writes);
  }

  /** Ends leases without an outcome: each message goes again, at once or, counted, after its backoff. */
  giveBack(line: Line, leases: readonly Lease[], options: GiveBack): void {
    const writes: Writes = { list: [], replies: [] };
    for (const lease of leases) {
      if (options.countAttempt) this.#retry(line, lease, { delayMs: null, error: options.error }, writes.list);
      else this.#release(lease);
    }
    if (writes.list.length > 0) void this.#write(writes);
  }

  #settleOne(line: Line, lease: Lease, { outcome, reply }: Settlement, writes: Writes): void {
    if (reply !== null) {
      try {
        const { messageId, key, conversation } = { messageId: lease.entry.id, ...lease.entry };
        const made = this.#options.replies.reply({ messageId, key, conversation, reply });
        const from = writes.list.length;
        writes.list.push(...made.writes);
        writes.replies.push({ from, to: writes.list.length, written: (results) => made.written(results) });
      } catch (reason) {
        // Without its reply the message is not done.
        const error = GatewayError.from(reason).toReport();
        return this.#retry(line, lease, { delayMs: null, error }, writes.list);
      }
    }
    switch (outcome.kind) {
      case "ack":
        writes.list.push({ op: "ack", seq: lease.entry.seq, atMs: Math.trunc(this.#options.now()) });
        this.#options.ledger.close(lease.entry, false);
        return this.#options.lanes.advance(lease.lane);
      case "nack":
        return this.#retry(line, lease, outcome, writes.list);
      case "reject":
        return this.#bury(lease, outcome.reason, writes.list);
    }
  }

  #retry(
    line: Line,
    lease: Lease,
    failure: { readonly delayMs: number | null; readonly error: ErrorReport | null },
    writes: JournalWrite[],
  ): void {
    const entry = lease.entry;
    const { error } = failure;
    if (entry.attempt >= line.limits.maxAttempts) {
      // The last error has a place of its own in a dead letter, and only a nack carries one.
      if (error !== null)
        writes.push({ op: "nack", seq: entry.seq, attempt: entry.attempt, notBeforeMs: entry.notBeforeMs, error });
      const found = error === null ? "it was not handled" : error.message;
      return this.#bury(lease, `Gave up after attempt ${entry.attempt}: ${found}`, writes);
    }
    const delayMs = retryDelayMs(entry.attempt, failure.delayMs, this.#options.random);
    entry.attempt += 1;
    entry.notBeforeMs = Math.trunc(this.#options.now() + delayMs);
    const { seq, attempt, notBeforeMs } = entry;
    writes.push({ op: "nack", seq, attempt, notBeforeMs, error });
    this.#goAgain(lease);
  }

  #release(lease: Lease): void {
    const entry = lease.entry;
    entry.releases += 1;
    if (entry.releases > 1) entry.notBeforeMs = Math.trunc(this.#options.now() + repeatedReleaseDelayMs);
    this.#goAgain(lease);
  }

  #goAgain({ entry, lane }: Lease): void {
    entry.isRedelivered = true;
    this.#options.ledger.moveLeased(entry, -1);
    this.#options.onHead(lane);
  }

  #bury({ entry, lane }: Lease, reason: string, writes: JournalWrite[]): void {
    const atMs = Math.trunc(this.#options.now());
    writes.push({ op: "bury", seq: entry.seq, reason: reason.slice(0, reasonLimit), atMs });
    this.#options.logger.warn("message-dead", { key: entry.key, messageId: entry.id, attempt: entry.attempt });
    this.#options.ledger.close(entry, true);
    this.#options.lanes.advance(lane);
  }

  #write(writes: Writes): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#options.writer.add({
      writes: writes.list,
      written: (results) => {
        resolve();
        for (const reply of writes.replies) reply.written(results.slice(reply.from, reply.to));
      },
      failed: reject,
    });
    // Whoever does not wait for the outcome does not have to hear of it; the writer has logged it.
    promise.catch(() => {});
    return promise;
  }
}
