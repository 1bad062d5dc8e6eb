/** Updates that wait for the bot, by Telegram's rules: an offset confirms what is before it, one poller at a time. */
import { after } from "../../../src/support/time.ts";
import { ApiRefusal } from "./api-refusal.ts";

/** One update, as it is sent. */
export type QueuedUpdate = { readonly update_id: number; readonly [kind: string]: unknown };

type Waiter = { readonly settle: () => void; readonly refuse: (reason: ApiRefusal) => void };

/** What a poll asks for. */
export type Poll = { readonly offset: number; readonly limit: number; readonly timeoutSeconds: number };

/** The updates of one bot. */
export class UpdateQueue {
  #updates: QueuedUpdate[] = [];
  /** Given once more, whatever was confirmed. */
  #repeated: QueuedUpdate[] = [];
  /** Lists that no honest server answers with, one poll each. */
  readonly nonsense: (readonly unknown[])[] = [];
  readonly #confirmed = new Set<number>();
  #waiter: Waiter | null = null;
  #lastId = 700_000_000;
  /** Kinds that the bot asked for; `null`: the default. */
  allowed: readonly string[] | null = null;
  onConfirmed: () => void = () => {};

  /** The number that the next update gets. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(update: QueuedUpdate): void {
    this.#updates.push(update);
    this.wake();
  }

  repeat(update: QueuedUpdate): void {
    this.#repeated.push(update);
    this.wake();
  }

  /** Updates that are not confirmed. */
  get pending(): readonly QueuedUpdate[] {
    return this.#updates;
  }

  isConfirmed(updateId: number): boolean {
    return this.#confirmed.has(updateId);
  }

  confirm(updateId: number): void {
    this.#confirmed.add(updateId);
    this.#updates = this.#updates.filter(({ update_id: id }) => id !== updateId);
    this.onConfirmed();
  }

  wake(): void {
    this.#waiter?.settle();
  }

  /** Forgets a poll whose client is gone. */
  forget(): void {
    this.#waiter = null;
  }

  /** Ends the poll that waits, as a second poller or a webhook does. */
  endPoll(description: string): void {
    this.#waiter?.refuse(new ApiRefusal(409, description));
    this.#waiter = null;
  }

  /** @throws {ApiRefusal} 409 when another poll takes its place. */
  async poll({ offset, limit, timeoutSeconds }: Poll): Promise<readonly unknown[]> {
    this.endPoll("Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
    for (const { update_id: id } of this.#updates) if (id < offset) this.confirm(id);
    if (this.#isEmpty && timeoutSeconds > 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { settle: resolve, refuse: reject };
      this.#waiter = waiter;
      using _window = after(timeoutSeconds * 1000, resolve);
      await promise;
      if (this.#waiter === waiter) this.#waiter = null;
    }
    const updates = [...this.#repeated.splice(0), ...this.#updates].slice(0, limit);
    // What came before it comes first: its numbers are higher, and an offset behind them would confirm what nobody has seen.
    return updates.length > 0 ? updates : (this.nonsense.shift() ?? []);
  }

  get #isEmpty(): boolean {
    return this.nonsense.length === 0 && this.#repeated.length === 0 && this.#updates.length === 0;
  }
}
