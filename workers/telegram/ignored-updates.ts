/** Updates that nobody hears: counted, and told of now and then. */
import type { AdapterLog } from "../../src/contract/adapter.ts";

const periodMs = 60_000;
/** Kinds come from outside: no more of them are told apart. */
const mostKinds = 50;

/** Counts by kind; logs each kind once a minute at most. */
export class IgnoredUpdates {
  readonly #log: AdapterLog;
  readonly #counts = new Map<string, { count: number; loggedAtMs: number }>();

  constructor(log: AdapterLog) {
    this.#log = log;
  }

  /** One more of `kind`, and what it was is not looked at further. */
  add(kind: string): void {
    const name = this.#counts.has(kind) || this.#counts.size < mostKinds ? kind.slice(0, 64) : "other";
    const entry = this.#counts.get(name) ?? { count: 0, loggedAtMs: Number.NEGATIVE_INFINITY };
    this.#counts.set(name, entry);
    entry.count += 1;
    const nowMs = Date.now();
    if (nowMs - entry.loggedAtMs < periodMs) return;
    entry.loggedAtMs = nowMs;
    const fields = { kind: name, count: entry.count };
    // Service messages and the like are no fault of anybody.
    if (name === "malformed") this.#log.warn("telegram-update-ignored", fields);
    else this.#log.debug("telegram-update-ignored", fields);
  }
}
