/**
 * The clock of sends that are held until a time. They wait on disk, however many there are and however long it takes; only
 * the time of the next one is in memory. What is due is released there first, so that a crash neither loses nor repeats it.
 */
import { GatewayError } from "../contract/errors.ts";
import type { Journal } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { after } from "../support/time.ts";

/** How long the clock trusts a timer: the machine's time may be set meanwhile. */
const longestSleepMs = 60_000;
const retryMs = 1000;

/** What the clock works with. */
export type HeldSendsParts = {
  readonly journal: Pick<Journal, "commit" | "query">;
  readonly logger: Logger;
  /** Sends of `key` may go now; the first of them has this number. */
  readonly onReleased: (key: string, firstSeq: number) => void;
};

/** One clock for all adapters' sends. */
export class HeldSends implements Disposable {
  readonly #parts: HeldSendsParts;
  #nextDueAtMs = Number.POSITIVE_INFINITY;
  #timer: Disposable | null = null;
  #isReleasing = false;
  #isEnded = false;

  constructor(parts: HeldSendsParts) {
    this.#parts = parts;
  }

  /** Releases what became due while the gateway was down, and waits for the rest. */
  start(): void {
    void this.#release();
  }

  /** A send that is held until `dueAtMs` is on disk. */
  add(dueAtMs: number): void {
    if (dueAtMs >= this.#nextDueAtMs) return;
    this.#nextDueAtMs = dueAtMs;
    this.#wind();
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#timer?.[Symbol.dispose]();
  }

  #wind(delayMs = this.#nextDueAtMs - Date.now()): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    if (this.#isEnded || delayMs === Number.POSITIVE_INFINITY) return;
    this.#timer = after(Math.max(0, Math.min(delayMs, longestSleepMs)), () => {
      if (Date.now() >= this.#nextDueAtMs) void this.#release();
      else this.#wind();
    });
  }

  async #release(): Promise<void> {
    if (this.#isReleasing || this.#isEnded) return;
    this.#isReleasing = true;
    // What is added from now on may be earlier than what the journal is about to tell.
    this.#nextDueAtMs = Number.POSITIVE_INFINITY;
    let delayMs: number | undefined;
    try {
      const upToMs = Date.now();
      const { due, nextDueAtMs } = await this.#parts.journal.query("heldSends", { upToMs });
      if (due.length > 0) {
        const upToSeq = Math.max(...due.map(({ lastSeq }) => lastSeq));
        await this.#parts.journal.commit([{ op: "releaseSends", upToMs, upToSeq }]);
      }
      this.#nextDueAtMs = Math.min(this.#nextDueAtMs, nextDueAtMs ?? Number.POSITIVE_INFINITY);
      if (!this.#isEnded) for (const { key, firstSeq } of due) this.#parts.onReleased(key, firstSeq);
    } catch (reason) {
      this.#parts.logger.warn("held-sends-not-released", { error: GatewayError.from(reason).message });
      this.#nextDueAtMs = 0;
      delayMs = retryMs;
    } finally {
      this.#isReleasing = false;
    }
    this.#wind(delayMs);
  }
}
