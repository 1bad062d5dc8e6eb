/** What came in and was of no use: counted, and said at most once a minute per kind. */
import type { AdapterLog } from "../../src/contract/adapter.ts";

const periodMs = 60_000;
/** Kinds are named by the other side. */
const mostKinds = 200;

/** The counts of one adapter. */
export class IgnoredEvents {
  readonly #log: AdapterLog;
  readonly #kinds = new Map<string, { count: number; saidAtMs: number }>();

  constructor(log: AdapterLog) {
    this.#log = log;
  }

  /** One more of `kind`. */
  add(kind: string, nowMs = Date.now()): void {
    const name = this.#kinds.has(kind) || this.#kinds.size < mostKinds ? kind.slice(0, 80) : "other";
    const known = this.#kinds.get(name) ?? { count: 0, saidAtMs: Number.NEGATIVE_INFINITY };
    known.count += 1;
    this.#kinds.set(name, known);
    if (nowMs - known.saidAtMs < periodMs) return;
    this.#log.warn("slack-event-ignored", { kind: name, count: known.count });
    known.saidAtMs = nowMs;
    known.count = 0;
  }
}
