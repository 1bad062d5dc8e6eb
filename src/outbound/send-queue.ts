/** One adapter's sends on their way: in order within a conversation, side by side across conversations. */
import { GatewayError } from "../contract/errors.ts";
import type { SendRow } from "../contract/journal.ts";
import { after } from "../support/time.ts";
import { SendAttempts, type SendAttemptsParts } from "./send-attempts.ts";
import { SendBacklog, unattempted, type OpenSend } from "./send-backlog.ts";

const mostInFlight = 32;

/** What a queue works with. */
export type SendQueueParts = Omit<SendAttemptsParts, "key" | "signal">;

type Conversation = { readonly waiting: OpenSend[]; isBusy: boolean; retry: Disposable | null };

/** Sends whose rows are in the journal. What does not fit in memory is read from there when its turn comes. */
export class SendQueue implements AsyncDisposable {
  readonly #key: string;
  readonly #parts: SendQueueParts;
  readonly #attempts: SendAttempts;
  readonly #conversations = new Map<string, Conversation>();
  readonly #backlog: SendBacklog;
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #idle: PromiseWithResolvers<void> | null = null;

  constructor(key: string, parts: SendQueueParts) {
    this.#key = key;
    this.#parts = parts;
    this.#attempts = new SendAttempts({ ...parts, key, signal: this.#ended.signal });
    this.#backlog = new SendBacklog(key, parts, {
      take: (send) => this.#take(send),
      isWanted: () => !this.#ended.signal.aborted && this.#parts.adapters.isRunning(key),
    });
  }

  /** A new send that is on disk. */
  add(row: SendRow): void {
    if (this.#backlog.add(row)) this.#take(unattempted(row));
  }

  /** Sends that were held until now are on disk, from this number on. */
  released(firstSeq: number): void {
    this.#backlog.addOnDisk(firstSeq);
  }

  /** Goes on with everything that waited for the adapter. */
  adapterRunning(): void {
    this.#backlog.load();
    for (const name of this.#conversations.keys()) this.#pump(name);
  }

  /** Nothing durable of this conversation waits or is on its way. */
  isIdle(conversation: string): boolean {
    return !this.#conversations.has(conversation) && this.#backlog.isEmpty;
  }

  /** Resolves when nothing more can be sent now: all done, or waiting for a retry or for the adapter. */
  async drained(): Promise<void> {
    if (this.#running.size === 0) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Starts nothing more. What is on its way is `attempted` on disk, and `unknown` after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The gateway is shutting down"));
    for (const conversation of this.#conversations.values()) conversation.retry?.[Symbol.dispose]();
    this.#backlog[Symbol.dispose]();
  }

  #take(send: OpenSend): void {
    const name = send.row.conversation;
    let conversation = this.#conversations.get(name);
    if (conversation === undefined) {
      conversation = { waiting: [], isBusy: false, retry: null };
      this.#conversations.set(name, conversation);
    }
    conversation.waiting.push(send);
    this.#pump(name);
  }

  #pump(name: string): void {
    const conversation = this.#conversations.get(name);
    if (conversation === undefined || conversation.isBusy || this.#ended.signal.aborted) return;
    const [send] = conversation.waiting;
    if (send === undefined) {
      this.#conversations.delete(name);
      return;
    }
    conversation.retry?.[Symbol.dispose]();
    conversation.retry = null;
    if (this.#running.size >= mostInFlight || !this.#parts.adapters.isRunning(this.#key)) return;
    const waitMs = send.nextAttemptAtMs - Date.now();
    if (waitMs > 0) {
      conversation.retry = after(waitMs, () => this.#pump(name));
      return;
    }
    conversation.isBusy = true;
    const run = this.#attemptAndGoOn(conversation, send);
    this.#running.add(run);
    void run.finally(() => {
      this.#running.delete(run);
      this.#pump(name);
      // A conversation may have stood back because too many were on their way.
      if (this.#running.size === mostInFlight - 1) for (const other of this.#conversations.keys()) this.#pump(other);
      if (this.#running.size > 0) return;
      this.#idle?.resolve();
      this.#idle = null;
    });
  }

  async #attemptAndGoOn(conversation: Conversation, send: OpenSend): Promise<void> {
    const next = await this.#attempts.run(send);
    conversation.isBusy = false;
    if (next !== null) conversation.waiting[0] = next;
    else {
      conversation.waiting.shift();
      this.#backlog.done(send);
    }
  }
}
