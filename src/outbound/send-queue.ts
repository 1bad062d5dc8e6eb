/** One adapter's sends on their way: in order within a conversation, side by side across conversations. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, SendRow, SendState } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { after, sleep } from "../support/time.ts";
import { adaptResponse } from "./fallback.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";
import { decodeResponse } from "./response-bytes.ts";
import { withoutPastTime } from "./schedule.ts";
import { afterSendFailure } from "./send-failure.ts";
import { SendBacklog, type OpenSend } from "./send-backlog.ts";
import { stateWrite, type SendStateDetails } from "./send-state.ts";

const sendDeadlineMs = 30_000;
const mostInFlight = 32;
const journalRetryMs = 1000;
const refusedMs = 1000;

/** What a queue works with. */
export type SendQueueParts = {
  readonly journal: Journal;
  readonly adapters: OutboundAdapters;
  readonly logger: Logger;
  readonly onConfirmed: () => void;
};

type Conversation = { readonly waiting: OpenSend[]; isBusy: boolean; retry: Disposable | null };

/** Sends whose rows are in the journal. What does not fit in memory is read from there when its turn comes. */
export class SendQueue implements AsyncDisposable {
  readonly #key: string;
  readonly #parts: SendQueueParts;
  readonly #conversations = new Map<string, Conversation>();
  readonly #backlog: SendBacklog;
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #idle: PromiseWithResolvers<void> | null = null;

  constructor(key: string, parts: SendQueueParts) {
    this.#key = key;
    this.#parts = parts;
    this.#backlog = new SendBacklog(key, parts, {
      take: (send) => this.#take(send),
      isWanted: () => !this.#ended.signal.aborted && this.#parts.adapters.isRunning(key),
    });
  }

  /** A new send that is on disk. */
  add(row: SendRow): void {
    if (this.#backlog.add(row)) this.#take({ row, attempts: 0, nextAttemptAtMs: 0 });
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
    const next = await this.#attempt(send);
    conversation.isBusy = false;
    if (next !== null) conversation.waiting[0] = next;
    else {
      conversation.waiting.shift();
      this.#backlog.done(send);
    }
  }

  /** One attempt; what is left to do of this send, or `null` when it is over. Never rejects. */
  async #attempt(send: OpenSend): Promise<OpenSend | null> {
    const { row } = send;
    // Found so after a start: whether it arrived, nobody knows, and a second copy may be worse than none.
    if (row.state === "attempted") {
      const error = new GatewayError(
        "worker_crashed",
        `Cannot tell whether send ${row.id} arrived: the gateway ended meanwhile`,
      );
      return this.#finish(send, "unknown", { error: error.toReport() });
    }
    const attempts = send.attempts + 1;
    if (!(await this.#write(send, "attempted", { attempts }))) return send;
    try {
      const { replyTo = null, ...said } = decodeResponse(row.response);
      const response = adaptResponse(
        withoutPastTime(said, Date.now()),
        this.#parts.adapters.capabilities(this.#key) ?? {},
      );
      if (response === null) return await this.#finish(send, "confirmed", { attempts });
      const receipt = await this.#parts.adapters.call(
        this.#key,
        "send",
        { conversation: row.conversation, response, replyTo, idempotencyKey: row.idempotencyKey },
        { deadlineMs: sendDeadlineMs },
      );
      return await this.#finish(send, "confirmed", { attempts, platformMessageId: platformIdOf(receipt) });
    } catch (reason) {
      return this.#failed(send, GatewayError.from(reason));
    }
  }

  async #failed(send: OpenSend, error: GatewayError): Promise<OpenSend | null> {
    const attempts = send.attempts + 1;
    const next = afterSendFailure(error, { attempts, ageMs: Date.now() - send.row.atMs }, Math.random());
    const report = { attempts, error: error.toReport() };
    if (next.kind === "unknown" || next.kind === "failed") {
      const fields = { key: this.#key, sendId: send.row.id, state: next.kind, error: error.message };
      this.#parts.logger.warn("send-failed", fields);
      return this.#finish(send, next.kind, report);
    }
    if (next.kind === "wait") {
      await this.#write(send, "queued", { ...report, attempts: send.attempts });
      // Not before a moment has passed: an adapter that seems to run and refuses must not be asked in a tight loop.
      return { ...send, nextAttemptAtMs: Date.now() + refusedMs };
    }
    const nextAttemptAtMs = Date.now() + next.delayMs;
    await this.#write(send, "queued", { ...report, nextAttemptAtMs });
    return { row: send.row, attempts, nextAttemptAtMs };
  }

  async #finish(send: OpenSend, state: SendState, details: SendStateDetails): Promise<null> {
    await this.#write(send, state, details);
    if (state === "confirmed") this.#parts.onConfirmed();
    return null;
  }

  /** Until it is on disk: a state that is only in memory would be told wrong after a restart. `false`: the gateway ends. */
  async #write(send: OpenSend, state: SendState, details: SendStateDetails): Promise<boolean> {
    const write = stateWrite(send.row, state, { attempts: send.attempts, ...details });
    while (!this.#ended.signal.aborted) {
      try {
        await this.#parts.journal.commit([write]);
        return true;
      } catch (reason) {
        this.#parts.logger.warn("send-state-not-written", {
          sendId: send.row.id,
          error: GatewayError.from(reason).message,
        });
        await sleep(journalRetryMs, this.#ended.signal).catch(() => {
          // Being disposed: the loop's condition ends it.
        });
      }
    }
    return false;
  }
}

function platformIdOf(receipt: unknown): string | null {
  const id = (receipt as { platformMessageId?: unknown } | null)?.platformMessageId;
  return typeof id === "string" ? id.slice(0, 512) : null;
}
