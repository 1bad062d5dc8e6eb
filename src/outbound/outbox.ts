/** The durable queue of everything that is said: replies and sends, to adapters that push and to mailboxes. */
import { randomUUID } from "node:crypto";
import type { SendReport } from "../contract/control.ts";
import type { ReplyWriter, SettledReply } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Journal, SendRow, SendState, WriteResult } from "../contract/journal.ts";
import type { StoredResponse } from "../contract/reply-to.ts";
import type { Response } from "../contract/response.ts";
import type { Logger } from "../support/logger.ts";
import { steadyNow, withDeadline } from "../support/time.ts";
import { HeldSends } from "./held-sends.ts";
import type { Mail } from "./mail-cache.ts";
import { MailWriter } from "./mail-writer.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";
import { OutboundForm, type Prepared } from "./outbound-form.ts";
import { encodeResponse } from "./response-bytes.ts";
import { SendQueues } from "./send-queues.ts";
import { newSend, stateWrite } from "./send-state.ts";
import { SettledOrder } from "./settled-order.ts";
import { StreamChunks } from "./stream-chunks.ts";

/** What the outbox works with. `mailboxes` gets mail the moment it is on disk. */
export type OutboxParts = {
  readonly journal: Journal;
  readonly adapters: OutboundAdapters;
  readonly mailboxes: { deliver(mail: Mail): void };
  readonly logger: Logger;
};

/** One thing to say. */
export type OutboundSend = {
  readonly key: string;
  readonly conversation: string;
  readonly response: StoredResponse;
  /** `null`: a new one; nothing is then known as a repetition of it. */
  readonly idempotencyKey: string | null;
};
/** What became of it so far. */
export type SendOutcome = { readonly id: string; readonly state: SendState };

type ReplyRequest = Parameters<ReplyWriter["reply"]>[0];
/** `isNew`: no earlier send can have this key. */
type SendIdentity = { readonly idempotencyKey: string; readonly isNew: boolean };
type Place = { readonly key: string; readonly conversation: string };

/** See the parts' own files for order, retries and crashes. */
export class Outbox implements ReplyWriter, AsyncDisposable {
  readonly #parts: OutboxParts;
  readonly #queues: SendQueues;
  readonly #mail: MailWriter;
  readonly #chunks: StreamChunks;
  readonly #form: OutboundForm;
  readonly #held: HeldSends;
  readonly #order = new SettledOrder();
  readonly #sent = new Map<string, number>();
  #nextSendSeq: number;
  #nextCursor: number;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#nextSendSeq = parts.journal.opened.nextSendSeq;
    this.#nextCursor = parts.journal.opened.nextCursor;
    const { journal, adapters, logger } = parts;
    this.#queues = new SendQueues({ journal, adapters, logger, onConfirmed: (key) => this.#count(key) });
    this.#mail = new MailWriter({
      journal,
      logger,
      nextCursor: () => this.#takeCursor(),
      onWritten: (mail) => this.#deliver(mail),
    });
    const isIdle = (key: string, conversation: string): boolean => this.#queues.isIdle(key, conversation);
    this.#chunks = new StreamChunks({ adapters, logger, isIdle });
    this.#held = new HeldSends({ journal, logger, onReleased: (key, firstSeq) => this.#released(key, firstSeq) });
    this.#held.start();
    this.#form = new OutboundForm(adapters, (key, conversation) => this.#chunks.end(key, conversation));
  }

  /**
   * The reply that goes with an ack. Never throws: what the adapter cannot show becomes a `failed` send beside the ack.
   * For a pull adapter it is one mail and no send row: once it is written, its message is never handled again. Whoever
   * handles a message that was handed out before makes the reply by {@link Outbox.replyNow} instead.
   */
  reply(request: ReplyRequest): ReturnType<ReplyWriter["reply"]> {
    const number = this.#order.make();
    let prepared: Prepared;
    try {
      prepared = this.#form.prepare(request, request.reply.response);
    } catch (reason) {
      return this.#refusal(request, GatewayError.from(reason), number);
    }
    const { key, conversation } = request;
    if (prepared.dueAtMs === 0 && this.#parts.adapters.isPull(key)) {
      const { response } = prepared;
      const mail: Mail = { key, conversation, cursor: this.#takeCursor(), response, atMs: steadyNow() };
      return {
        writes: [{ op: "mail", ...mail }],
        written: () => {
          this.#order.written(number);
          this.#deliver(mail);
        },
      };
    }
    const row = this.#row(request, prepared, idempotencyKeyOf(request));
    return {
      writes: [{ op: "send", send: row }],
      written: ([result]) => {
        this.#order.written(number);
        if (!isKnown(result, row)) this.#enqueue(row);
      },
    };
  }

  /**
   * A reply made before its message is settled. Resolves when it is in the outbox; a repetition resolves without saying
   * it twice. `mayRepeat`: the message was handed out before, so this reply may have been made then.
   * @throws {GatewayError} `unsupported_response`, `journal_unavailable`.
   */
  async replyNow(request: ReplyRequest & { readonly mayRepeat: boolean }): Promise<SendOutcome> {
    const identity = { idempotencyKey: idempotencyKeyOf(request), isNew: !request.mayRepeat };
    return this.#say(request, request.reply.response, identity);
  }

  /** A chunk of a stream: the whole text so far. Never stored, never waited for. */
  streamChunk(place: Place & { readonly response: Extract<Response, { readonly kind: "stream_chunk" }> }): void {
    this.#chunks.push(place.key, place.conversation, place.response);
  }

  /**
   * Says something on its own. Resolves when it is on disk.
   * @throws {GatewayError} `unsupported_response`, `journal_unavailable`.
   */
  async send(send: OutboundSend): Promise<SendOutcome> {
    if (send.response.kind === "stream_chunk") {
      this.streamChunk({ ...send, response: send.response });
      return { id: `s${randomUUID()}`, state: "attempted" };
    }
    const identity = { idempotencyKey: send.idempotencyKey ?? randomUUID(), isNew: send.idempotencyKey === null };
    return this.#say(send, encodeResponse(send.response), identity);
  }

  /** @throws {GatewayError} `not_found`, `journal_unavailable`. */
  async report(id: string): Promise<SendReport> {
    const row = await this.#parts.journal.query("send", { id });
    if (row === null) throw new GatewayError("not_found", `Cannot show send ${JSON.stringify(id)}: there is none`);
    const { state, platformMessageId, error } = row;
    return { id, state, receipt: state === "confirmed" ? { platformMessageId } : null, error };
  }

  /** To be called whenever an adapter reaches `running`: what waited for it goes on. */
  adapterRunning(key: string): void {
    if (this.#parts.adapters.isPull(key)) void this.#mail.recover(key);
    else this.#queues.adapterRunning(key);
  }

  /** How many sends of an adapter were confirmed since the start. */
  sentCount(key: string): number {
    return this.#sent.get(key) ?? 0;
  }

  /** Resolves when nothing more is on its way, at the deadline at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    await withDeadline(this.#queues.drained(), deadlineMs, "Flushing the outbox").catch(() => {
      // What is left is on disk, and goes out after the next start.
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks[Symbol.dispose]();
    this.#held[Symbol.dispose]();
    this.#mail[Symbol.dispose]();
    await this.#queues[Symbol.asyncDispose]();
  }

  async #say(place: Place, bytes: Uint8Array, identity: SendIdentity): Promise<SendOutcome> {
    const row = this.#row(place, this.#form.prepare(place, bytes), identity.idempotencyKey);
    await this.#order.caughtUp();
    if (row.dueAtMs > 0 || !this.#parts.adapters.isPull(row.key)) {
      const known = await this.#commitRow(row);
      if (known !== null) return known;
      this.#enqueue(row);
      return { id: row.id, state: "queued" };
    }
    if (identity.isNew) await this.#mail.writeNew(row);
    else {
      const known = await this.#mail.claim(row, () => this.#commitRow(row));
      if (known !== null) return known;
      await this.#mail.complete(row);
    }
    return { id: row.id, state: "confirmed" };
  }

  /** `null` when the row is on disk, else the send that it repeats. */
  async #commitRow(row: SendRow): Promise<SendOutcome | null> {
    const [result] = await this.#parts.journal.commit([{ op: "send", send: row }]);
    if (!isKnown(result, row)) return null;
    const id = result?.existingId ?? row.id;
    return { id, state: (await this.#parts.journal.query("send", { id }))?.state ?? "confirmed" };
  }

  #refusal(request: ReplyRequest, error: GatewayError, number: number): ReturnType<ReplyWriter["reply"]> {
    const refused = { response: request.reply.response, dueAtMs: 0 };
    const row = this.#row(request, refused, idempotencyKeyOf(request));
    this.#parts.logger.warn("reply-refused", { key: row.key, messageId: request.messageId, error: error.message });
    const failed = stateWrite(row, "failed", { error: error.toReport() });
    return { writes: [{ op: "send", send: row }, failed], written: () => this.#order.written(number) };
  }

  #row(place: Place, prepared: Prepared, idempotencyKey: string): SendRow {
    const seq = this.#nextSendSeq;
    this.#nextSendSeq += 1;
    return newSend(seq, place, { ...prepared, idempotencyKey });
  }

  #enqueue(row: SendRow): void {
    if (row.dueAtMs > 0) this.#held.add(row.dueAtMs);
    else this.#queues.add(row);
  }

  #released(key: string, firstSeq: number): void {
    if (this.#parts.adapters.isPull(key)) void this.#mail.completeFrom(key, firstSeq);
    else this.#queues.released(key, firstSeq);
  }

  #deliver(mail: Mail): void {
    this.#count(mail.key);
    this.#parts.mailboxes.deliver(mail);
  }

  #count(key: string): void {
    this.#sent.set(key, (this.#sent.get(key) ?? 0) + 1);
  }

  #takeCursor(): number {
    const cursor = this.#nextCursor;
    this.#nextCursor += 1;
    return cursor;
  }
}

function idempotencyKeyOf(request: { readonly messageId: string; readonly reply: SettledReply }): string {
  return `${request.messageId}/${request.reply.index}`;
}

/** A group sent again after the journal's thread died meets its own row: that is no repetition. */
function isKnown(result: WriteResult | undefined, row: SendRow): boolean {
  return result !== undefined && result.duplicate && result.existingId !== row.id;
}
