/** Whom a thread is with, for what is said in it without an answer to a mail: remembered, else looked up in the mailbox. */
import type { EmittedMessage } from "../../src/contract/message.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { MailAccount } from "./account.ts";
import { comparable } from "./addresses.ts";
import type { MailboxDesk } from "./mailbox-desk.ts";
import { mentionsAny, searchMails } from "./mail-search.ts";
import type { MimeReader } from "./mime-reader.ts";
import { type ReplyRoute, routeFrom, routeOf } from "./reply-route.ts";
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

  /** By the Message-IDs of ours, which carry the thread's key: whoever answered us names one. */
  async #lookUp(conversation: string, signal: AbortSignal): Promise<ReplyRoute | null> {
    const { account, desk, reader, folders, allowedSenders } = this.#parts;
    const search = { query: mentionsAny([ownIdPart(conversation)]), limit: mostMails };
    const found = await desk.ask(
      (connection) => searchMails({ connection, reader, maxTextBytes: longestTextBytes }, folders, search),
      signal,
    );
    const theirs = found
      .map(({ mail }) => mail)
      .filter(({ from }) => from !== null && !account.ownAddresses.has(comparable(from.address)))
      .filter((mail) => conversationOf(mail, account.from.address) === conversation);
    const last = theirs.toSorted((one, other) => (one.dateMs ?? 0) - (other.dateMs ?? 0)).at(-1);
    return last === undefined ? null : routeOf(last, allowedSenders());
  }
}
