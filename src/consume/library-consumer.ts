/** A consumer whose messages are taken by code that uses the gateway as a library. */
import type { ConsumerLine, ConsumerPort, Delivery, Dispatcher } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { ConsumerSpec } from "../contract/spec.ts";
import type { Logger } from "../support/logger.ts";
import type { ConsumerServices } from "./consumer-services.ts";
import { createLibraryDelivery, type LibraryDelivery } from "./library-delivery.ts";

/** What a library consumer is made of. */
export type LibraryConsumerOptions = {
  readonly spec: ConsumerSpec;
  readonly dispatcher: Dispatcher;
  readonly services: ConsumerServices;
  readonly logger: Logger;
};

type Reader = PromiseWithResolvers<LibraryDelivery | null>;

/**
 * Attached to flow while somebody reads; else its messages wait in the journal. Several readers share the messages. What
 * was taken and is not settled when the last reader leaves may still be settled until its time is over.
 */
export class LibraryConsumer implements ConsumerPort, AsyncDisposable {
  readonly name: string;
  readonly #options: LibraryConsumerOptions;
  #line: ConsumerLine | null = null;
  /** Delivered, and taken by nobody yet. */
  #queue: Delivery[] = [];
  /** Taken and not settled, with the line that each came by. */
  readonly #taken = new Map<string, ConsumerLine>();
  #waiting: Reader[] = [];
  #readers = 0;
  readonly #detaching = new Set<Promise<void>>();
  #isStopped = false;

  constructor(options: LibraryConsumerOptions) {
    this.name = options.spec.name;
    this.#options = options;
  }

  get inFlight(): number {
    return this.#line?.inFlight ?? 0;
  }

  /** Messages as they come, until the consumer stops, `signal` is aborted, or the loop over them is left. */
  async *messages(signal?: AbortSignal): AsyncGenerator<LibraryDelivery, void, undefined> {
    this.#readers += 1;
    const leave = (): void => {
      for (const reader of this.#waiting.splice(0)) reader.resolve(null);
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      for (;;) {
        if (this.#isStopped || signal?.aborted === true) return;
        this.#attach();
        const delivery = this.#take() ?? (await this.#wait());
        if (delivery !== null) yield delivery;
      }
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#readers -= 1;
      if (this.#readers === 0) this.#detach(this.#options.spec.timeoutMs);
    }
  }

  deliver(deliveries: readonly Delivery[]): void {
    this.#queue.push(...deliveries);
    while (this.#waiting.length > 0) {
      const delivery = this.#take();
      if (delivery === null) return;
      this.#waiting.shift()?.resolve(delivery);
    }
  }

  /** What nobody has taken yet was not tried; what was taken and not settled in time was. */
  expire(receipts: readonly string[]): void {
    const expired = new Set(receipts);
    this.#queue = this.#queue.filter(({ receipt }) => !expired.has(receipt));
    for (const receipt of receipts) {
      const line = this.#taken.get(receipt);
      this.#taken.delete(receipt);
      (line ?? this.#line)?.release([receipt], { countAttempt: line !== undefined, error: null });
    }
  }

  /** Takes nothing more; ends every reader. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    this.#detach(deadlineMs);
    for (const reader of this.#waiting.splice(0)) reader.resolve(null);
    await Promise.all(this.#detaching);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
  }

  #attach(): void {
    if (this.#line !== null || this.#isStopped) return;
    const { concurrency, timeoutMs, maxAttempts } = this.#options.spec;
    this.#line = this.#options.dispatcher.attach(this, { concurrency, timeoutMs, maxAttempts });
  }

  #detach(deadlineMs: number): void {
    const line = this.#line;
    if (line === null) return;
    this.#line = null;
    const unread = this.#queue.splice(0).map(({ receipt }) => receipt);
    if (unread.length > 0) line.release(unread, { countAttempt: false, error: null });
    const detaching = line.detach(deadlineMs).finally(() => this.#detaching.delete(detaching));
    this.#detaching.add(detaching);
  }

  #wait(): Promise<LibraryDelivery | null> {
    const reader = Promise.withResolvers<LibraryDelivery | null>();
    this.#waiting.push(reader);
    return reader.promise;
  }

  #take(): LibraryDelivery | null {
    const line = this.#line;
    for (;;) {
      const delivery = this.#queue.shift();
      if (delivery === undefined || line === null) return null;
      const { receipt } = delivery;
      const onSettled = (): void => {
        this.#taken.delete(receipt);
      };
      try {
        const taken = createLibraryDelivery(delivery, { line, services: this.#options.services, onSettled });
        this.#taken.set(receipt, line);
        return taken;
      } catch (reason) {
        this.#options.logger.error("message-unreadable", { consumer: this.name, messageId: delivery.id });
        this.#reject(line, receipt, GatewayError.from(reason));
      }
    }
  }

  #reject(line: ConsumerLine, receipt: string, error: GatewayError): void {
    line.settle([{ receipt, outcome: { kind: "reject", reason: error.message }, reply: null }]).catch(() => {
      // Flow goes on trying until it is on disk; this is the end of its line.
    });
  }
}
