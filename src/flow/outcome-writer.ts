/**
 * Leases and outcomes on their way to the journal. Unlike an accept, which can be refused, an outcome has happened: it is
 * written again until it is on disk. One transaction at a time, with all that came while the last one ran.
 */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, JournalWrite, WriteResult } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { sleep } from "../support/time.ts";

/** Writes that belong together, and who waits for them. */
export type OutcomeUnit = {
  readonly writes: readonly JournalWrite[];
  written(results: readonly WriteResult[]): void;
  /** The journal works and will not take them: not on disk, and not tried again. */
  failed(error: GatewayError): void;
};

const retryMs = 250;

/** The one writer of everything that happens to a message after it was accepted. */
export class OutcomeWriter implements AsyncDisposable {
  readonly #journal: Pick<Journal, "commit">;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  #units: OutcomeUnit[] = [];
  #loop: Promise<void> | null = null;

  constructor(journal: Pick<Journal, "commit">, logger: Logger) {
    this.#journal = journal;
    this.#logger = logger;
  }

  /**
   * Adds to the next transaction. Units of one tick, and all that come while a transaction runs, share one. Without
   * writes: `written` is called in its turn, never in this call.
   */
  add(unit: OutcomeUnit): void {
    this.#units.push(unit);
    this.#loop ??= this.#run();
  }

  /**
   * Resolves when all that was added so far, and in this tick, is on disk.
   * @throws {GatewayError} `journal_unavailable` when it is disposed first.
   */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => this.add({ writes: [], written: () => resolve(), failed: reject }));
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    while (this.#loop !== null) await this.#loop;
  }

  /** Gives up on what is not written yet; the journal still holds those messages as they were. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }

  async #run(): Promise<void> {
    // Lets the rest of this tick's outcomes join.
    await Promise.resolve();
    while (this.#units.length > 0 && !this.#stop.signal.aborted) {
      const units = this.#units;
      this.#units = [];
      await this.#commit(units);
    }
    this.#loop = null;
    if (this.#stop.signal.aborted) this.#abandon(this.#units.splice(0));
  }

  async #commit(units: readonly OutcomeUnit[]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let results: readonly WriteResult[];
      try {
        const writes = writesOf(units);
        results = writes.length === 0 ? [] : await this.#journal.commit(writes);
      } catch (reason) {
        const error = GatewayError.from(reason);
        if (error.code === "journal_unavailable") {
          this.#logger.warn("outcomes-not-written", { units: units.length, error: error.message });
          await sleep(retryMs, this.#stop.signal).catch(() => {
            // Being disposed: the loop's condition ends it.
          });
          continue;
        }
        await this.#commitApart(units, error);
        return;
      }
      this.#announce(units, results);
      return;
    }
    this.#abandon(units);
  }

  #abandon(units: readonly OutcomeUnit[]): void {
    const error = new GatewayError("journal_unavailable", "Cannot write an outcome: the gateway is stopping");
    for (const unit of units) this.#guard(() => unit.failed(error));
  }

  /** A refused transaction is taken apart, so that one bad write does not hold back everyone else's. */
  async #commitApart(units: readonly OutcomeUnit[], error: GatewayError): Promise<void> {
    const [first] = units;
    if (first === undefined) return;
    if (units.length > 1) {
      for (const unit of units) await this.#commit([unit]);
      return;
    }
    this.#logger.error("outcome-refused", { error: error.message });
    this.#guard(() => first.failed(error));
  }

  #announce(units: readonly OutcomeUnit[], results: readonly WriteResult[]): void {
    let offset = 0;
    for (const unit of units) {
      const end = offset + unit.writes.length;
      const own = units.length === 1 ? results : results.slice(offset, end);
      offset = end;
      this.#guard(() => unit.written(own));
    }
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (reason) {
      this.#logger.error("outcome-callback-failed", { error: GatewayError.from(reason).message });
    }
  }
}

function writesOf(units: readonly OutcomeUnit[]): readonly JournalWrite[] {
  const [only] = units;
  if (only !== undefined && units.length === 1) return only.writes;
  const writes: JournalWrite[] = [];
  for (const unit of units) for (const write of unit.writes) writes.push(write);
  return writes;
}
