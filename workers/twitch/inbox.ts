/** Messages between chat and the journal: in order, a bounded number of them, and none forgotten without being counted. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { orAborted, sleep, withDeadline } from "../../src/support/time.ts";

/** What an inbox works with. */
export type InboxParts = {
  /** Resolves when they are on disk. */
  readonly emit: (messages: readonly EmittedMessage[]) => Promise<unknown>;
  /** So many were lost, for a reason. */
  readonly onLost: (count: number, reason: string) => void;
  readonly signal: AbortSignal;
};

const batchSize = 64;
/** Beyond it the oldest is dropped: chat cannot be told to wait, and this thread's memory is bounded. */
const mostWaiting = 4_096;
const firstRetryMs = 250;
const longestRetryMs = 5_000;
/** For what waits when the adapter stops: the gateway still takes it, unless it is slow to. */
const stopGraceMs = 1_500;

/** One generation's messages. */
export class Inbox {
  readonly #parts: InboxParts;
  #waiting: EmittedMessage[] = [];
  #pumping: Promise<void> | null = null;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** One more. */
  push(message: EmittedMessage): void {
    this.#waiting.push(message);
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift();
      this.#parts.onLost(1, "the gateway does not take them in time");
    }
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
    });
  }

  /** Nothing more comes. What still waits after a moment is lost, since chat does not say it again. */
  async end(): Promise<void> {
    const { signal } = this.#parts;
    const pumped = this.#pumping ?? Promise.resolve();
    await withDeadline(orAborted(pumped, signal), stopGraceMs, "Handing over what was heard").catch(() => {});
    const { length } = this.#waiting;
    this.#waiting = [];
    if (length > 0) this.#parts.onLost(length, "the adapter stopped before the gateway took them");
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#parts.signal.aborted)
      await this.#accept(this.#waiting.splice(0, batchSize));
  }

  /** Never rejects. Until they are taken, or will never be. */
  async #accept(messages: readonly EmittedMessage[]): Promise<void> {
    const { emit, onLost, signal } = this.#parts;
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, longestRetryMs)) {
      try {
        await emit(messages);
        return;
      } catch (reason) {
        const error = GatewayError.from(reason);
        if (signal.aborted) return onLost(messages.length, "the adapter stopped before the gateway took them");
        if (error.retry.kind === "never") return this.#acceptEach(messages, error);
        await sleep(error.retry.kind === "after" ? error.retry.delayMs : delayMs, signal).catch(() => {
          // The next try finds the generation over and says so.
        });
      }
    }
  }

  /** One message that is malformed must not take its neighbours with it. */
  async #acceptEach(messages: readonly EmittedMessage[], error: GatewayError): Promise<void> {
    if (messages.length === 1) return this.#parts.onLost(1, error.message);
    for (const message of messages) await this.#accept([message]);
  }
}
