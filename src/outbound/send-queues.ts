/** One queue for each adapter that pushes, made with its first send. */
import type { SendRow } from "../contract/journal.ts";
import { SendQueue, type SendQueueParts } from "./send-queue.ts";

/** What the queues work with. `onConfirmed` is told whose send was. */
export type SendQueuesParts = Omit<SendQueueParts, "onConfirmed"> & { readonly onConfirmed: (key: string) => void };

/** All adapters' queues. */
export class SendQueues implements AsyncDisposable {
  readonly #parts: SendQueuesParts;
  readonly #queues = new Map<string, SendQueue>();
  #isEnded = false;

  constructor(parts: SendQueuesParts) {
    this.#parts = parts;
  }

  /** A new send that is on disk. Once the queues have ended it waits there for the next start. */
  add(row: SendRow): void {
    if (!this.#isEnded) this.#queue(row.key).add(row);
  }

  /** Sends of `key` that were held until now are on disk, from this number on. */
  released(key: string, firstSeq: number): void {
    if (!this.#isEnded) this.#queue(key).released(firstSeq);
  }

  /** What waited for the adapter goes on. */
  adapterRunning(key: string): void {
    if (!this.#isEnded) this.#queue(key).adapterRunning();
  }

  /** Nothing durable of this conversation waits or is on its way. */
  isIdle(key: string, conversation: string): boolean {
    return this.#queues.get(key)?.isIdle(conversation) ?? true;
  }

  /** Resolves when nothing more can be sent now. */
  async drained(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#queues.values()].map((queue) => queue[Symbol.asyncDispose]()));
  }

  #queue(key: string): SendQueue {
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new SendQueue(key, { ...this.#parts, onConfirmed: () => this.#parts.onConfirmed(key) });
      this.#queues.set(key, queue);
    }
    return queue;
  }
}
