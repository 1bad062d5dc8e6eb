/** What may come without end: counted, and logged once a minute per kind. */
import { steadyNow } from "./time.ts";

const periodMs = 60_000;

/** What is said of one kind: how many there were of it so far, and how many since it was last said. */
export type MinuteFields = { readonly kind: string; readonly count: number; readonly sinceLast: number };

/** Kinds are named by the other side, which may be hostile: what is beyond these is of kind `other`, or cut. */
type MinuteLimits = { readonly mostKinds: number; readonly longestKind: number };

/** One event of the log in one generation. */
export class MinuteLog {
  readonly #write: (fields: MinuteFields) => void;
  readonly #limits: MinuteLimits;
  readonly #kinds = new Map<string, { count: number; said: number; nextAtMs: number }>();

  /** @param limits default: 100 kinds of 60 characters. */
  constructor(write: (fields: MinuteFields) => void, limits: MinuteLimits = { mostKinds: 100, longestKind: 60 }) {
    this.#write = write;
    this.#limits = limits;
  }

  /** One more of `kind`. */
  note(kind: string, nowMs = steadyNow()): void {
    const short = kind.slice(0, this.#limits.longestKind);
    const name = this.#kinds.size < this.#limits.mostKinds || this.#kinds.has(short) ? short : "other";
    const known = this.#kinds.get(name) ?? { count: 0, said: 0, nextAtMs: 0 };
    known.count += 1;
    this.#kinds.set(name, known);
    if (known.nextAtMs > nowMs) return;
    const sinceLast = known.count - known.said;
    known.said = known.count;
    known.nextAtMs = nowMs + periodMs;
    this.#write({ kind: name, count: known.count, sinceLast });
  }
}
