/** Every response kind that a mail can be. */
import type { SendRequest } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { withDeadline } from "../../src/support/time.ts";
import type { MailAccount } from "./account.ts";
import { addressIn } from "./addresses.ts";
import { composeMail } from "./compose-mail.ts";
import type { MailSender } from "./mail-sender.ts";
import { searchFolder, sentFolderOf } from "./mail-search.ts";
import type { MailboxDesk } from "./mailbox-desk.ts";
import { type Destination, outgoingMail } from "./outgoing-mail.ts";
import { routeFrom } from "./reply-route.ts";
import { isThreadKey, ownMessageId } from "./thread.ts";
import type { Threads } from "./threads.ts";

/** What a responder works with. */
export type ResponderParts = {
  readonly account: MailAccount;
  readonly sender: MailSender;
  readonly desk: MailboxDesk;
  readonly threads: Threads;
  readonly folders: readonly string[];
  readonly maxAttachmentBytes: () => number;
};

/** With the time for saying it, less than the outbox's thirty seconds. */
const lookUpDeadlineMs = 6_000;

/** One mailbox's answers. */
export class Responder {
  readonly #parts: ResponderParts;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /** Resolves with the mail's Message-ID once the server has taken it. @throws {GatewayError} why it was not said. */
  async send({ conversation, response, replyTo, idempotencyKey, signal }: SendRequest): Promise<string> {
    const { account, sender, maxAttachmentBytes } = this.#parts;
    const destination = await this.#destinationOf(conversation, replyTo, signal);
    const fromAddress = account.from.address;
    const messageId = ownMessageId({ conversation, idempotencyKey, fromAddress });
    const mail = outgoingMail(response, destination, { messageId, maxAttachmentBytes: maxAttachmentBytes() });
    const raw = await composeMail(mail, { from: account.from, date: new Date() });
    try {
      await sender.send(raw, { to: mail.to, signal });
    } catch (reason) {
      const error = GatewayError.from(reason);
      const isKnown = error.code === "timeout" && !signal.aborted && (await this.#wasSent(messageId, signal));
      if (!isKnown) throw error;
    }
    return messageId;
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
    const route = isThreadKey(conversation) ? await this.#parts.threads.find(conversation, signal) : null;
    if (route !== null) return { kind: "thread", route };
    throw new GatewayError(
      "not_found",
      `Cannot send to ${JSON.stringify(conversation.slice(0, 100))}: it is neither an address nor a thread that is known`,
    );
  }

  /** Many servers keep what they have sent. What is not found may have been sent all the same. */
  async #wasSent(messageId: string, signal: AbortSignal): Promise<boolean> {
    const { desk, folders } = this.#parts;
    const looking = desk.ask(async (connection) => {
      const sent = await sentFolderOf(connection);
      for (const folder of new Set([...(sent === null ? [] : [sent]), ...folders]))
        if ((await searchFolder(connection, folder, { header: { "message-id": messageId } })).length > 0) return true;
      return false;
    }, signal);
    try {
      return await withDeadline(looking, lookUpDeadlineMs, "Looking for the mail");
    } catch {
      // Then it is not known, which is what its error says.
      return false;
    }
  }
}
