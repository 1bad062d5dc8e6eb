/** What happened so far, in order, and something to wait for what has not happened yet. */
import { within } from "./within.ts";

type Waiter = { readonly look: () => boolean };

/** A growing list. */
export class Observed<Item> {
  readonly #items: Item[] = [];
  readonly #waiters = new Set<Waiter>();

  /** Everything so far. */
  get items(): readonly Item[] {
    return this.#items;
  }

  /** One more. */
  add(item: Item): void {
    this.#items.push(item);
    for (const waiter of this.#waiters) if (waiter.look()) this.#waiters.delete(waiter);
  }

  /** The first item, past or to come, that matches. @throws {Error} naming `what` after the kit's deadline. */
  first(matches: (item: Item) => boolean, what: string): Promise<Item> {
    return this.#wait(() => this.#items.find((item) => matches(item)), what);
  }

  /** Resolves when there are at least `count` that match. @throws {Error} naming `what` after the kit's deadline. */
  async count(count: number, what: string, matches: (item: Item) => boolean = () => true): Promise<void> {
    await this.#wait(() => (this.#items.filter((item) => matches(item)).length >= count ? true : undefined), what);
  }

  async #wait<Found>(find: () => Found | undefined, what: string): Promise<Found> {
    const found = Promise.withResolvers<Found>();
    const look = (): boolean => {
      const value = find();
      if (value === undefined) return false;
      found.resolve(value);
      return true;
    };
    const waiter = { look };
    if (!look()) this.#waiters.add(waiter);
    try {
      return await within(found.promise, what, () => this.#items.slice(-20));
    } finally {
      this.#waiters.delete(waiter);
    }
  }
}
