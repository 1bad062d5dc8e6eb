/** One adapter's sends on their way: in order within a conversation, side by side across conversations. */
import { GatewayError } from "../contract/errors.ts";
import type { SendRow } from "../contract/journal.ts";
import { after, steadyNow } from "../support/time.ts";
import { SendAttempts, type SendAttemptsParts } from "./send-attempts.ts";
import { SendPace } from "./send-pace.ts";
import { SendBacklog, unattempted, type OpenSend } from "./send-backlog.ts";

const mostInFlight = 32;

/** What a queue works with. */
export type SendQueueParts = Omit<SendAttemptsParts, "key" | "signal" | "onRateLimited">;

type Conversation = { readonly waiting: OpenSend[]; isBusy: boolean; retry: Disposable | null };

/** Sends whose rows are in the journal. What does not fit in memory is read from there when its turn comes. */
export class SendQueue implements AsyncDisposable {
  readonly #key: string;
  readonly #parts: SendQueueParts;
  readonly #attempts: SendAttempts;
  readonly #pace = new SendPace();
  readonly #conversations = new Map<string, Conversation>();
  readonly #backlog: SendBacklog;
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** The whole credential waits for its pace. */
  #pause: Disposable | null = null;
  #idle: PromiseWithResolvers<void> | null = null;

  constructor(key: string, parts: SendQueueParts) {
    this.#key = key;
    this.#parts = parts;
    this.#attempts = new SendAttempts({
      ...parts,
      key,
      signal: this.#ended.signal,
      onRateLimited: (conversation, untilMs) => this.#pace.limited(conversation, untilMs, steadyNow()),
    });
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
    const rates = this.#parts.adapters.sendRates(this.#key);
    if (rates !== null) this.#pace.apply(rates);
    this.#backlog.load();
    this.#pumpAll();
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
    this.#pause?.[Symbol.dispose]();
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
    const nowMs = steadyNow();
    const waitMs = send.nextAttemptAtMs > nowMs ? send.nextAttemptAtMs - nowMs : this.#paceMs(name, nowMs);
    if (waitMs === null) return;
    if (waitMs > 0) {
      conversation.retry = after(waitMs, () => this.#pump(name));
      return;
    }
    // The one that was served last is the next one's turn to wait, where the credential's pace is what they wait for.
    this.#conversations.delete(name);
    this.#conversations.set(name, conversation);
    conversation.isBusy = true;
    const run = this.#attemptAndGoOn(conversation, send);
    this.#running.add(run);
    void run.finally(() => {
      this.#running.delete(run);
      this.#pump(name);
      // A conversation may have stood back because too many were on their way.
      if (this.#running.size === mostInFlight - 1) this.#pumpAll();
      if (this.#running.size > 0) return;
      this.#idle?.resolve();
      this.#idle = null;
    });
  }

  #pumpAll(): void {
    for (const name of this.#conversations.keys()) {
      if (this.#pause !== null) return;
      this.#pump(name);
    }
  }

  /** How long a conversation has to wait for its pace; `null`: it waits with all others. */
  #paceMs(name: string, nowMs: number): number | null {
    const pauseMs = this.#pace.waitMs(nowMs);
    if (pauseMs === 0) return this.#pace.take(name, nowMs);
    this.#pause ??= after(pauseMs, () => {
      this.#pause = null;
      this.#pumpAll();
    });
    return null;
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
