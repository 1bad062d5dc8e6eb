/** What may come without end: counted, and logged once a minute per kind. */
const periodMs = 60_000;
/** What a hostile server may invent. */
const mostKinds = 100;
const longestKind = 60;

/** What is said of one kind. `count`: of it so far. */
export type MinuteFields = { readonly kind: string; readonly count: number };

/** One event of the log in one generation. */
export class MinuteLog {
  readonly #write: (fields: MinuteFields) => void;
  readonly #kinds = new Map<string, { count: number; nextAtMs: number }>();

  constructor(write: (fields: MinuteFields) => void) {
    this.#write = write;
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
    this.#write({ kind: name, count: known.count });
  }
}
