/** The last events of the gateway, for any number of readers. */
import type { GatewayEvent } from "../contract/control.ts";

const defaultCapacity = 1000;

/**
 * A ring of events with ids that rise by one from 1. A reader is only a position in it, so that publishing costs the same
 * with a thousand readers as with none, and a slow one holds no memory: it loses the oldest, and sees that by the ids.
 */
export class EventRing {
  readonly #capacity: number;
  readonly #events: GatewayEvent[] = [];
  #lastId = 0;
  #waiting: (() => void)[] = [];

  /** `capacity`: how many events are kept. @default 1000 */
  constructor(capacity: number = defaultCapacity) {
    this.#capacity = capacity;
  }

  /** Adds an event and wakes its readers. Never waits. */
  publish(event: GatewayEvent["event"], data: GatewayEvent["data"]): void {
    this.#lastId += 1;
    this.#events[(this.#lastId - 1) % this.#capacity] = { id: this.#lastId, event, data };
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /**
   * Events after `afterId`, then as they come, until the signal; it ends without an error. `null`: from now on. An id of an
   * earlier life of the gateway, higher than any here, gives everything that is kept: rather twice than never.
   */
  subscribe(options: { readonly afterId: number | null; readonly signal: AbortSignal }): AsyncGenerator<GatewayEvent> {
    const { afterId, signal } = options;
    const isOfEarlierLife = afterId !== null && afterId > this.#lastId;
    return this.#read(isOfEarlierLife ? 0 : (afterId ?? this.#lastId), signal);
  }

  async *#read(afterId: number, signal: AbortSignal): AsyncGenerator<GatewayEvent> {
    let position = afterId;
    while (!signal.aborted) {
      position = Math.max(position, this.#lastId - this.#capacity);
      const event = position < this.#lastId ? this.#events[position % this.#capacity] : undefined;
      if (event === undefined) {
        await this.#published(signal);
        continue;
      }
      position += 1;
      yield event;
    }
  }

  async #published(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#waiting.push(wake);
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    signal.removeEventListener("abort", wake);
    if (signal.aborted) this.#waiting = this.#waiting.filter((other) => other !== wake);
  }
}
