/** What was said before in a thread, out of the mailbox. */
import type { Policy, RunningAdapter } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { HistoryMessage } from "../../src/contract/message.ts";
import { deadline } from "../../src/support/deadline.ts";
import type { MailAccount } from "./account.ts";
import { comparable } from "./addresses.ts";
import type { MailboxDesk } from "./mailbox-desk.ts";
import type { Mail } from "./mail.ts";
import { type FoundMail, mentionsAny, searchMails, sentFolderOf } from "./mail-search.ts";
import type { MimeReader } from "./mime-reader.ts";
import { routeFrom } from "./reply-route.ts";
import { dropReason } from "./screening.ts";
import { conversationOf, isThreadKey, ownIdPart } from "./thread.ts";
import { mailIdOf } from "./translate-mail.ts";

/** One question for history. */
export type HistoryRequest = Parameters<NonNullable<RunningAdapter["history"]>>[0];

/** What answering works with. */
export type HistoryParts = {
  readonly account: MailAccount;
  readonly desk: MailboxDesk;
  readonly reader: MimeReader;
  readonly folders: readonly string[];
  readonly policy: Pick<Policy, "allowedSenders">;
};

/** Just below what a handler waits for it. */
const deadlineMs = 14_000;
const mostMessages = 50;
/** A server is asked for a few ids at once: the root says the most, then the last ones. */
const mostIds = 4;
/** Of one past message. */
const longestTextBytes = 65_536;

/** Oldest first, all of them before `before`, at most 50. Nothing is marked as read. */
export async function threadHistory(parts: HistoryParts, request: HistoryRequest): Promise<readonly HistoryMessage[]> {
  const { conversation, replyTo, before } = request;
  if (!isThreadKey(conversation)) return [];
  const limit = Math.max(1, Math.min(mostMessages, request.limit));
  const query = mentionsAny([...idsOf(replyTo), ownIdPart(conversation)]);
  const error = new GatewayError("timeout", `Cannot read the history within ${deadlineMs} ms`);
  using late = deadline(deadlineMs, { error });
  const found = await parts.desk.ask(async (connection) => {
    const sent = await sentFolderOf(connection);
    const folders = sent === null ? parts.folders : [...new Set([...parts.folders, sent])];
    const fetching = { connection, reader: parts.reader, maxTextBytes: longestTextBytes };
    // One more than asked for: the mail that is answered is among them.
    return searchMails(fetching, folders, { query, limit: limit + 1 });
  }, late.signal);
  const { address } = parts.account.from;
  const own = found
    .filter(({ mail }) => conversationOf(mail, address) === conversation && isPartOfIt(mail, parts))
    .toSorted(byTime);
  const end = before === null ? -1 : own.findIndex(({ mail }) => mailIdOf(mail) === before);
  return own
    .slice(0, end === -1 ? undefined : end)
    .filter(isFirstOfItsKind)
    .slice(-limit)
    .map((one) => historyMessage(one, parts.account));
}

/** What we have said, and what would be a message to us: whoever may not write does not come in by the history either. */
function isPartOfIt(mail: Mail, { account: { ownAddresses }, policy: { allowedSenders } }: HistoryParts): boolean {
  const reason = dropReason(mail, { ownAddresses, allowedSenders });
  return reason === null || reason === "own";
}

function idsOf(replyTo: HistoryRequest["replyTo"]): readonly string[] {
  const route = routeFrom(replyTo);
  if (route === null) return [];
  const ids = [...route.references, ...(route.messageId === null ? [] : [route.messageId])];
  return [...new Set([...ids.slice(0, 1), ...ids.slice(1 - mostIds)])];
}

/** Servers tell seconds alone: of the same second, what hangs on more comes later. */
function byTime(one: FoundMail, other: FoundMail): number {
  const seconds = Math.floor(timeOf(one) / 1000) - Math.floor(timeOf(other) / 1000);
  return seconds === 0 ? one.mail.references.length - other.mail.references.length : seconds;
}

function timeOf({ mail, receivedAtMs }: FoundMail): number {
  return receivedAtMs ?? mail.dateMs ?? 0;
}

/** A mail may lie in two folders. */
function isFirstOfItsKind({ mail }: FoundMail, index: number, all: readonly FoundMail[]): boolean {
  return all.findIndex((other) => mailIdOf(other.mail) === mailIdOf(mail)) === index;
}

function historyMessage(found: FoundMail, { ownAddresses }: MailAccount): HistoryMessage {
  const { from, text } = found.mail;
  const timeMs = timeOf(found);
  return {
    author: from === null ? "unknown" : from.name || from.address,
    text,
    isBot: from !== null && ownAddresses.has(comparable(from.address)),
    timestamp: timeMs === 0 ? null : new Date(timeMs).toISOString(),
  };
}
