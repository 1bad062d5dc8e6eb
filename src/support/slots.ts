/**
 * Values that come and go by the thousand, each under an id that no other ever has. A Map does the same, but V8 chains its
 * outgrown tables: one that has become old keeps all that was ever in its successors alive until the next full collection.
 */

/** More values at once than this are refused. */
const slotLimit = 65_536;

/** Values by id. */
export class Slots<Value> {
  readonly #values: (Value | undefined)[] = [];
  readonly #ids: number[] = [];
  readonly #free: number[] = [];
  #added = 0;

  /** How many there are. */
  get size(): number {
    return this.#values.length - this.#free.length;
  }

  /** Keeps `value`; returns its id, a positive integer. @throws {RangeError} with 65,536 already. */
  add(value: Value): number {
    const slot = this.#free.pop() ?? this.#values.length;
    if (slot >= slotLimit) throw new RangeError(`Cannot keep another value: ${slotLimit} are kept`);
    this.#added += 1;
    const id = this.#added * slotLimit + slot;
    this.#values[slot] = value;
    this.#ids[slot] = id;
    return id;
  }

  /** The value under `id`; `undefined` when it is gone. */
  get(id: number): Value | undefined {
    const slot = id % slotLimit;
    return this.#ids[slot] === id ? this.#values[slot] : undefined;
  }

  /** Forgets `id`. Twice is harmless. */
  delete(id: number): void {
    const slot = id % slotLimit;
    if (this.#ids[slot] !== id) return;
    this.#ids[slot] = 0;
    this.#values[slot] = undefined;
    this.#free.push(slot);
  }

  /** All values, in no order. */
  *values(): Generator<Value> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }
}
