/** A map that forgets its longest unused entry when it is full: what is remembered per channel or message has no natural end. */

/** At most `capacity` entries. */
export class BoundedMap<Value> {
  readonly #capacity: number;
  /** The longest unused first. */
  readonly #entries = new Map<string, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, which counts as used. */
  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** All of them, the longest unused first. */
  entries(): Iterable<readonly [string, Value]> {
    return this.#entries.entries();
  }
}
