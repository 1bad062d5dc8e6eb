/** What is where, by runtime key and by consumer: counted as it happens, so that status and admission ask no disk. */
import type { JournalCounts } from "../contract/journal-query.ts";

/** One adapter's share. `pending` waits, `leased` is with a consumer, `dead` is given up; bytes are of all three. */
export type KeyCounts = {
  readonly pending: number;
  readonly leased: number;
  readonly dead: number;
  /** Accepted since the start, duplicates aside. */
  readonly in: number;
  readonly duplicates: number;
  /** Accepted and, by a binding's `require_mention`, delivered to nobody. */
  readonly dropped: number;
  /** Reported by the adapter: what its platform would not send again. */
  readonly lost: number;
  readonly unackedBytes: number;
};
/** One consumer's share. */
export type ConsumerCounts = { readonly pending: number; readonly leased: number; readonly dead: number };

type Mutable<Counts> = { -readonly [Name in keyof Counts]: Counts[Name] };

/** Where a message is, for its counts. */
export type Place = { readonly key: string; readonly consumer: string; readonly bytes: number };

/** The running totals. */
export class Ledger {
  readonly #keys = new Map<string, Mutable<KeyCounts>>();
  readonly #consumers = new Map<string, Mutable<ConsumerCounts>>();
  #unackedBytes = 0;
  #dead = 0;

  /** All that is not acked, in bytes of payload, with what waits to be committed. */
  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  /** Dead letters in all. */
  get dead(): number {
    return this.#dead;
  }

  /** One adapter's counts; a live view. */
  key(key: string): Readonly<KeyCounts> {
    return this.#key(key);
  }

  /** Every adapter that ever had a message, and every consumer; copies. */
  snapshot(): {
    readonly keys: Readonly<Record<string, KeyCounts>>;
    readonly consumers: Readonly<Record<string, ConsumerCounts>>;
  } {
    const keys = Object.fromEntries([...this.#keys].map(([key, counts]) => [key, { ...counts }]));
    const consumers = Object.fromEntries([...this.#consumers].map(([name, counts]) => [name, { ...counts }]));
    return { keys, consumers };
  }

  /** What the journal holds at the start. Waiting messages are added one by one as they are found. */
  restore(counts: JournalCounts): void {
    for (const [key, dead] of Object.entries(counts.deadByKey)) this.#key(key).dead = dead;
    for (const [name, dead] of Object.entries(counts.deadByConsumer)) this.#consumer(name).dead = dead;
    for (const [key, bytes] of Object.entries(counts.unackedBytesByKey)) this.#key(key).unackedBytes = bytes;
    this.#unackedBytes = counts.unackedBytes;
    this.#dead = counts.dead;
  }

  /** Bytes that came in (or, negative, went) without a message's state changing. */
  addBytes(key: string, bytes: number): void {
    this.#key(key).unackedBytes += bytes;
    this.#unackedBytes += bytes;
  }

  /** A message that waits. */
  addPending(place: Place): void {
    this.#key(place.key).pending += 1;
    this.#consumer(place.consumer).pending += 1;
  }

  /** `1`: from waiting to a consumer; `-1`: back. */
  moveLeased(place: Place, direction: 1 | -1): void {
    const key = this.#key(place.key);
    const consumer = this.#consumer(place.consumer);
    key.pending -= direction;
    key.leased += direction;
    consumer.pending -= direction;
    consumer.leased += direction;
  }

  /** A waiting message now waits for another consumer. */
  movePending(place: Place, consumer: string): void {
    this.#consumer(place.consumer).pending -= 1;
    this.#consumer(consumer).pending += 1;
  }

  /** A message left its consumer for good: acked, or (`isDead`) buried. Only an acked one gives its bytes back. */
  close(place: Place, isDead: boolean): void {
    const key = this.#key(place.key);
    const consumer = this.#consumer(place.consumer);
    key.leased -= 1;
    consumer.leased -= 1;
    if (!isDead) return this.addBytes(place.key, -place.bytes);
    key.dead += 1;
    consumer.dead += 1;
    this.#dead += 1;
  }

  /** A dead letter went: back to its lane, or (`isGone`) for good. */
  removeDead(place: Place, isGone: boolean): void {
    this.#key(place.key).dead -= 1;
    this.#consumer(place.consumer).dead -= 1;
    this.#dead -= 1;
    if (isGone) this.addBytes(place.key, -place.bytes);
  }

  /** Counts what came in. */
  count(key: string, what: "in" | "duplicates" | "dropped" | "lost", amount: number): void {
    this.#key(key)[what] += amount;
  }

  #key(key: string): Mutable<KeyCounts> {
    let counts = this.#keys.get(key);
    if (counts === undefined) {
      counts = { pending: 0, leased: 0, dead: 0, in: 0, duplicates: 0, dropped: 0, lost: 0, unackedBytes: 0 };
      this.#keys.set(key, counts);
    }
    return counts;
  }

  #consumer(name: string): Mutable<ConsumerCounts> {
    let counts = this.#consumers.get(name);
    if (counts === undefined) {
      counts = { pending: 0, leased: 0, dead: 0 };
      this.#consumers.set(name, counts);
    }
    return counts;
  }
}
