/** Whom a thread is with, for what is said in it without an answer to a mail: remembered, else looked up in the mailbox. */
import type { EmittedMessage } from "../../src/contract/message.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { MailAccount } from "./account.ts";
import type { MailboxDesk } from "./mailbox-desk.ts";
import { type FetchParts, recentHeaders } from "./fetch-mail.ts";
import type { Mail } from "./mail.ts";
import { mentionsAny, searchMails } from "./mail-search.ts";
import type { MimeReader } from "./mime-reader.ts";
import { type ReplyRoute, routeFrom, routeOf } from "./reply-route.ts";
import { dropReason } from "./screening.ts";
import { conversationOf, ownIdPart } from "./thread.ts";

/** What looking up works with. */
export type ThreadsParts = {
  readonly account: MailAccount;
  readonly desk: MailboxDesk;
  readonly reader: MimeReader;
  readonly folders: readonly string[];
  readonly allowedSenders: () => readonly string[];
};

const mostThreads = 1_000;
const mostMails = 5;
/** Of each folder. */
const mostRecent = 100;
const longestTextBytes = 1_024;

/** Threads of one mailbox. */
export class Threads {
  readonly #parts: ThreadsParts;
  readonly #routes = new BoundedMap<ReplyRoute>(mostThreads);

  constructor(parts: ThreadsParts) {
    this.#parts = parts;
  }

  /** What was heard last in a thread is what is answered next. */
  remember(messages: readonly EmittedMessage[]): void {
    for (const { conversation, replyTo } of messages) {
      const route = routeFrom(replyTo ?? null);
      if (route !== null) this.#routes.set(conversation, route);
    }
  }

  /** `null`: nobody has answered in it, as far as the mailbox shows. @throws {GatewayError} what IMAP says. */
  async find(conversation: string, signal: AbortSignal): Promise<ReplyRoute | null> {
    return this.#routes.get(conversation) ?? (await this.#lookUp(conversation, signal));
  }

  async #lookUp(conversation: string, signal: AbortSignal): Promise<ReplyRoute | null> {
    const { desk, reader, allowedSenders } = this.#parts;
    const mail = await desk.ask(async (connection) => {
      const fetching = { connection, reader, maxTextBytes: longestTextBytes };
      return (await this.#answerToUs(fetching, conversation)) ?? (await this.#recent(fetching, conversation));
    }, signal);
    return mail === null ? null : routeOf(mail, allowedSenders());
  }

  /** By the Message-IDs of ours, which carry the thread's key: whoever answered us names one. */
  async #answerToUs(fetching: FetchParts, conversation: string): Promise<Mail | null> {
    const search = { query: mentionsAny([ownIdPart(conversation)]), limit: mostMails };
    const found = await searchMails(fetching, this.#parts.folders, search);
    const theirs = found.map(({ mail }) => mail).filter((mail) => this.#isTheirsIn(conversation, mail));
    return theirs.toSorted((one, other) => (one.dateMs ?? 0) - (other.dateMs ?? 0)).at(-1) ?? null;
  }

  /** Where we have never written nothing names the thread, and its key tells nothing: the last mails are gone through. */
  async #recent(fetching: FetchParts, conversation: string): Promise<Mail | null> {
    for (const folder of this.#parts.folders.toReversed())
      try {
        for await (const mail of recentHeaders(fetching, folder, mostRecent))
          if (this.#isTheirsIn(conversation, mail)) return mail;
      } catch (reason) {
        // One folder that is gone does not keep the others from being looked through.
        if (fetching.connection.isOver) throw reason;
      }
    return null;
  }

  /** Who may not write to us is not written to either, nor is a program that answers by itself. */
  #isTheirsIn(conversation: string, mail: Mail): boolean {
    const { ownAddresses, from } = this.#parts.account;
    if (dropReason(mail, { ownAddresses, allowedSenders: this.#parts.allowedSenders() }) !== null) return false;
    return conversationOf(mail, from.address) === conversation;
  }
}
