/** Things whose time comes later: a heap by time under one timer, since ten thousand lanes may wait at once. */
import { after } from "../support/time.ts";

type Delayed<Item> = { readonly atMs: number; readonly item: Item };

/** Calls `due` with what is due, earliest first. */
export class DelayQueue<Item> implements Disposable {
  readonly #heap: Delayed<Item>[] = [];
  readonly #due: (items: readonly Item[]) => void;
  readonly #now: () => number;
  #timer: Disposable | null = null;
  #timerAtMs = Infinity;

  constructor(options: { readonly due: (items: readonly Item[]) => void; readonly now: () => number }) {
    this.#due = options.due;
    this.#now = options.now;
  }

  /** How many wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** Hands `item` to `due` at `atMs`, never in this call. */
  push(atMs: number, item: Item): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push({ atMs, item });
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (timeAt(heap, parent) <= atMs) break;
      swap(heap, index, parent);
      index = parent;
    }
    if (atMs < this.#timerAtMs) this.#arm(atMs);
  }

  /** Nothing comes any more. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    this.#heap.length = 0;
  }

  #arm(atMs: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timerAtMs = atMs;
    this.#timer = after(Math.max(1, Math.ceil(atMs - this.#now())), () => this.#fire());
  }

  #fire(): void {
    this.#timer = null;
    this.#timerAtMs = Infinity;
    const nowMs = this.#now();
    const items: Item[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0])
      items.push(this.#pop(first).item);
    const next = this.#heap[0];
    if (next !== undefined) this.#arm(next.atMs);
    if (items.length > 0) this.#due(items);
  }

  #pop(first: Delayed<Item>): Delayed<Item> {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const left = index * 2 + 1;
      if (left >= heap.length) return first;
      const smaller = left + 1 < heap.length && timeAt(heap, left + 1) < timeAt(heap, left) ? left + 1 : left;
      if (timeAt(heap, smaller) >= last.atMs) return first;
      swap(heap, index, smaller);
      index = smaller;
    }
  }
}

function timeAt<Item>(heap: readonly Delayed<Item>[], index: number): number {
  return heap[index]?.atMs ?? Infinity;
}

function swap<Item>(heap: Delayed<Item>[], left: number, right: number): void {
  const [first, second] = [heap[left], heap[right]];
  if (first === undefined || second === undefined) return;
  heap[left] = second;
  heap[right] = first;
}
