/** The periodic prune: acked messages by age and by room on the disk, known ids, finished sends and old mail by age. */
import type { Journal, JournalWrite } from "../contract/journal.ts";
import type { JournalCounts } from "../contract/journal-query.ts";
import type { Logger } from "../support/logger.ts";
import { every, steadyNow } from "../support/time.ts";

/** What retention keeps to; may be swapped while it runs. */
export type RetentionSettings = {
  /** Acked messages stay replayable so long, room permitting. */
  readonly retainHours: number;
  /** Of the journal on disk; at 80 % of it acked messages are pruned, oldest first. */
  readonly maxBytes: number;
};

/** What {@link startRetention} takes. */
export type RetentionOptions = {
  readonly journal: Pick<Journal, "commit" | "query">;
  readonly settings: RetentionSettings;
  readonly logger: Logger;
  /** `true`: messages younger than `retainHours` were pruned for room. `false`: the window is whole again. */
  readonly onReplayWindowShort: (isShort: boolean) => void;
  /** @default 60_000 */
  readonly periodMs?: number;
};

/** A running retention; disposing waits for a pass under way. */
export interface Retention extends AsyncDisposable {
  /** For the next pass on. */
  update(settings: RetentionSettings): void;
  /** A pass now; never rejects. */
  run(): Promise<void>;
}

const hourMs = 3_600_000;
const knownHours = 26;
const mailHours = 24;
/** Of `maxBytes`. */
const fullShare = 0.8;
/** Slices of one pass: others' commits get their turn between them, and a pass ends. */
const mostSlices = 200;
/** Tables that are not counted are walked at least this far in each pass. */
const fewestSlices = 5;

/** Prunes now, and then every `periodMs`. */
export function startRetention(options: RetentionOptions): Retention {
  return new PeriodicRetention(options);
}

class PeriodicRetention implements Retention {
  readonly #options: RetentionOptions;
  readonly #ticker: Disposable;
  #settings: RetentionSettings;
  #pass: Promise<void> | null = null;
  #isDisposed = false;
  /** When a message was last pruned before its time; 0: never. */
  #cutAtMs = 0;
  #isShort = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const periodMs = options.periodMs ?? 60_000;
    this.#ticker = every(
      periodMs,
      () => void this.run(),
      (reason) => options.logger.error("retention-failed", { error: String(reason) }),
    );
    void this.run();
  }

  update(settings: RetentionSettings): void {
    this.#settings = settings;
  }

  run(): Promise<void> {
    this.#pass ??= this.#prune()
      // The next pass tries again; until then the journal only grows a little.
      .catch((reason: unknown) => this.#options.logger.warn("retention-failed", { error: String(reason) }))
      .finally(() => {
        this.#pass = null;
      });
    return this.#pass;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#ticker[Symbol.dispose]();
    await this.#pass;
  }

  async #prune(): Promise<void> {
    let counts = await this.#options.journal.query("counts", {});
    // By age first, so that what goes for want of room is known to be younger than it should have become.
    for (let slice = 1; slice <= mostSlices && !this.#isDisposed; slice += 1) {
      const before = counts.acked;
      counts = await this.#pruneSlice(Number.POSITIVE_INFINITY);
      if (slice >= fewestSlices && counts.acked >= before) break;
    }
    for (let slice = 1; slice <= mostSlices && !this.#isDisposed; slice += 1) {
      const room = ackedRoom(counts, this.#settings.maxBytes);
      if (counts.ackedBytes <= room) break;
      counts = await this.#pruneSlice(room);
      this.#cutAtMs = steadyNow();
    }
    this.#report();
  }

  async #pruneSlice(ackedBytesOver: number): Promise<JournalCounts> {
    const { journal } = this.#options;
    const nowMs = steadyNow();
    const write: JournalWrite = {
      op: "prune",
      ackedBeforeMs: nowMs - this.#settings.retainHours * hourMs,
      knownBeforeMs: nowMs - knownHours * hourMs,
      mailBeforeMs: nowMs - mailHours * hourMs,
      ackedBytesOver,
    };
    await journal.commit([write]);
    return journal.query("counts", {});
  }

  #report(): void {
    const isShort = this.#cutAtMs > 0 && steadyNow() - this.#cutAtMs < this.#settings.retainHours * hourMs;
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    this.#options.logger.warn("replay-window-changed", { isShort });
    this.#options.onReplayWindowShort(isShort);
  }
}

/**
 * How many bytes of acked payloads there is room for: payloads times what each costs on disk beside itself must stay
 * under 80 % of `maxBytes`. Infinity while that is not in question.
 */
export function ackedRoom(
  room: Pick<JournalCounts, "bytes" | "ackedBytes" | "unackedBytes">,
  maxBytes: number,
): number {
  const allowedBytes = maxBytes * fullShare;
  if (room.bytes <= allowedBytes) return Number.POSITIVE_INFINITY;
  const payloadBytes = room.ackedBytes + room.unackedBytes;
  return Math.max(0, Math.floor((payloadBytes * allowedBytes) / room.bytes - room.unackedBytes));
}
