/** First in, first out: an array whose front moves, so that taking one does not shift the rest. */

/** A queue in memory. Its owner bounds it. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = [];
  #front = 0;

  /** How many wait. */
  get size(): number {
    return this.#items.length - this.#front;
  }

  /** Adds one at the end. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** The one in front, which stays; `undefined` when there is none. */
  peek(): Item | undefined {
    return this.#items[this.#front];
  }

  /** Takes the one in front; `undefined` when there is none. */
  shift(): Item | undefined {
    if (this.#front === this.#items.length) return undefined;
    const item = this.#items[this.#front];
    this.#items[this.#front] = undefined;
    this.#front += 1;
    if (this.#front === this.#items.length) {
      this.#items.length = 0;
      this.#front = 0;
    } else if (this.#front >= 1024 && this.#front * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }
}
