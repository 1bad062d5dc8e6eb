/** Every response kind that a mail can be. */
import type { DoubtfulSend, SendRequest } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { deadline } from "../../src/support/deadline.ts";
import { sleep } from "../../src/support/time.ts";
import { untoldSend } from "../../src/support/untold-send.ts";
import type { MailAccount } from "./account.ts";
import { addressIn } from "./addresses.ts";
import { composeMail } from "./compose-mail.ts";
import type { MailSender } from "./mail-sender.ts";
import { type Destination, outgoingMail } from "./outgoing-mail.ts";
import { type ReplyRoute, routeFrom } from "./reply-route.ts";
import type { SentCopies, SentCopy } from "./sent-copies.ts";
import { isThreadKey, ownMessageId } from "./thread.ts";
import type { Threads } from "./threads.ts";

/** What a responder works with. */
export type ResponderParts = {
  readonly account: MailAccount;
  readonly sender: MailSender;
  readonly copies: SentCopies;
  readonly threads: Threads;
  readonly maxAttachmentBytes: () => number;
};

/** Below the outbox's thirty seconds, after which it would ask what became of it, or ask that a second time. */
const deadlineMs = 27_000;
/** Providers put the copy there after they have taken the mail: within a second or two. */
const copyDelayMs = 5_000;

/** One mailbox's answers. */
export class Responder {
  readonly #parts: ResponderParts;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /** Resolves with the mail's Message-ID once the server has taken it. @throws {GatewayError} why it was not said. */
  async send(request: SendRequest): Promise<string> {
    const { conversation, response, replyTo } = request;
    const { account, sender, maxAttachmentBytes } = this.#parts;
    const error = new GatewayError("platform_unavailable", `Cannot send within ${deadlineMs} ms`);
    using late = deadline(deadlineMs, { error, signal: request.signal });
    const { signal } = late;
    const destination = await this.#destinationOf(conversation, replyTo, signal);
    const messageId = this.#messageIdOf(request);
    const mail = outgoingMail(response, destination, { messageId, maxAttachmentBytes: maxAttachmentBytes() });
    const raw = await composeMail(mail, { from: account.from, date: new Date() });
    try {
      await sender.send(raw, { to: mail.to, signal });
    } catch (reason) {
      const failure = GatewayError.from(reason);
      const isKnown = failure.code === "timeout" && !signal.aborted && (await this.#wasSent(messageId, signal));
      if (!isKnown) throw failure;
    }
    return messageId;
  }

  /**
   * The same for a send of which nobody knows whether it was taken: said now if the mailbox, which has copies of others,
   * has none of it. @throws {GatewayError} `timeout` with retry `never` where that cannot be told.
   */
  async complete(request: DoubtfulSend): Promise<string> {
    const tooLate = new GatewayError("platform_unavailable", `Cannot complete the send within ${deadlineMs} ms`);
    using late = deadline(deadlineMs, { error: tooLate, signal: request.signal });
    const { signal } = late;
    const messageId = this.#messageIdOf(request);
    if (!(await this.#isMissing(messageId, signal))) return messageId;
    await sleep(copyDelayMs, signal);
    if (!(await this.#isMissing(messageId, signal))) return messageId;
    try {
      return await this.send({ ...request, signal });
    } catch (reason) {
      const error = GatewayError.from(reason);
      // Its copy may be on its way again.
      throw error.code === "timeout" ? untoldSend(error.message) : error;
    }
  }

  #messageIdOf({ conversation, idempotencyKey }: SendRequest): string {
    return ownMessageId({ conversation, idempotencyKey, fromAddress: this.#parts.account.from.address });
  }

  async #destinationOf(
    conversation: string,
    replyTo: SendRequest["replyTo"],
    signal: AbortSignal,
  ): Promise<Destination> {
    const answered = routeFrom(replyTo);
    if (answered !== null) return { kind: "thread", route: answered };
    const address = addressIn(conversation);
    if (address !== null) return { kind: "address", address };
    const route = isThreadKey(conversation) ? await this.#routeOf(conversation, signal) : null;
    if (route !== null) return { kind: "thread", route };
    throw new GatewayError(
      "not_found",
      `Cannot send to ${JSON.stringify(conversation.slice(0, 100))}: it is neither an address nor a thread that is known`,
    );
  }

  /** A mailbox that does not answer in time has kept a mail from being sent: nothing of it is in doubt. */
  async #routeOf(conversation: string, signal: AbortSignal): Promise<ReplyRoute | null> {
    try {
      return await this.#parts.threads.find(conversation, signal);
    } catch (reason) {
      const { code, message } = GatewayError.from(reason);
      throw code === "timeout" ? new GatewayError("platform_unavailable", message) : reason;
    }
  }

  /** What is not found may have been sent all the same. */
  async #wasSent(messageId: string, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#parts.copies.find(messageId, signal)) === "there";
    } catch {
      // Then it is not known, which is what its error says.
      return false;
    }
  }

  /** @throws {GatewayError} `timeout` with retry `never` where the mailbox cannot tell; what passes, as it is. */
  async #isMissing(messageId: string, signal: AbortSignal): Promise<boolean> {
    let copy: SentCopy;
    try {
      copy = await this.#parts.copies.find(messageId, signal);
    } catch (reason) {
      const error = GatewayError.from(reason);
      throw error.retry.kind === "never" ? untoldSend(error.message) : error;
    }
    if (copy === "untold") throw untoldSend("the mailbox keeps no copies of what is sent");
    return copy === "missing";
  }
}
