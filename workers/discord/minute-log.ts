/** What may come without end: counted, and logged once a minute per kind. */
import type { AdapterLog } from "../../src/contract/adapter.ts";

const periodMs = 60_000;
/** What a hostile server may invent. */
const mostKinds = 100;
const longestKind = 60;

/** One event of the log in one generation. Its fields: `kind`, and `count` of that kind so far. */
export class MinuteLog {
  readonly #log: AdapterLog;
  readonly #event: string;
  readonly #kinds = new Map<string, { count: number; nextAtMs: number }>();

  constructor(log: AdapterLog, event: string) {
    this.#log = log;
    this.#event = event;
  }

  /** One more of `kind`. */
  note(kind: string): void {
    const short = kind.slice(0, longestKind);
    const name = this.#kinds.size < mostKinds || this.#kinds.has(short) ? short : "other";
    const known = this.#kinds.get(name) ?? { count: 0, nextAtMs: 0 };
    known.count += 1;
    this.#kinds.set(name, known);
    if (known.nextAtMs > Date.now()) return;
    known.nextAtMs = Date.now() + periodMs;
    this.#log.warn(this.#event, { kind: name, count: known.count });
  }
}
