/**
 * Which row has this text? An index in memory for the journal's ids: 12 bytes a slot, at most two thirds full. A unique
 * index on disk would dirty a page of its own with every random id, which is several times the cost of the row itself.
 */

const smallestCapacity = 1_024;

/** The number of a lane in `pending`: narrow to index, and rarely shared by two. */
export function laneOf(key: string, conversation: string): number {
  return hashText(`${key}/${conversation}`);
}

/** 32 bits of FNV-1a over the UTF-16 code units, mixed once more. Lanes on disk hang on it: never change it. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  // FNV's low bits are weak and the low bits choose the slot.
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

/** Texts by the seq of their row. Only hashes are kept: who asks says whether a candidate really has the text. */
export class TextIndex {
  readonly #isAt: (text: string, seq: number) => boolean;
  #hashes = new Uint32Array(smallestCapacity);
  /** 0: free. Seqs begin at 1. */
  #seqs = new Float64Array(smallestCapacity);
  #size = 0;

  /** `isAt`: is `text` the one in row `seq`? Asked about once per text found. */
  constructor(isAt: (text: string, seq: number) => boolean) {
    this.#isAt = isAt;
  }

  /** How many texts it has. */
  get size(): number {
    return this.#size;
  }

  /** The row of `text`; 0 where it has none. */
  find(text: string): number {
    const hash = hashText(text);
    const mask = this.#seqs.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const seq = this.#seqs[slot] ?? 0;
      if (seq === 0) return 0;
      if (this.#hashes[slot] === hash && this.#isAt(text, seq)) return seq;
    }
  }

  /** Adds a text that {@link find} does not find. */
  add(text: string, seq: number): void {
    if ((this.#size + 1) * 3 > this.#seqs.length * 2) this.#grow();
    this.#put(hashText(text), seq);
    this.#size += 1;
  }

  /** Forgets a text; nothing happens where it is not in row `seq`. */
  delete(text: string, seq: number): void {
    const hash = hashText(text);
    const mask = this.#seqs.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.#seqs[slot] ?? 0;
      if (found === 0) return;
      if (found === seq && this.#hashes[slot] === hash) {
        this.#size -= 1;
        return this.#closeGap(slot, mask);
      }
    }
  }

  #put(hash: number, seq: number): void {
    const mask = this.#seqs.length - 1;
    let slot = hash & mask;
    while (this.#seqs[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#seqs[slot] = seq;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const seqs = this.#seqs;
    this.#hashes = new Uint32Array(seqs.length * 2);
    this.#seqs = new Float64Array(seqs.length * 2);
    for (const [slot, seq] of seqs.entries()) if (seq !== 0) this.#put(hashes[slot] ?? 0, seq);
  }

  /** Moves back what had to step over the freed slot, so that no search ends too early. */
  #closeGap(freed: number, mask: number): void {
    let gap = freed;
    for (let slot = (gap + 1) & mask; this.#seqs[slot] !== 0; slot = (slot + 1) & mask) {
      const home = (this.#hashes[slot] ?? 0) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.#hashes[gap] = this.#hashes[slot] ?? 0;
      this.#seqs[gap] = this.#seqs[slot] ?? 0;
      gap = slot;
    }
    this.#seqs[gap] = 0;
  }
}
