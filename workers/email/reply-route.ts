/** What an answer needs of the mail it answers, as the sixteen short strings that are stored with a message. */
import type { ReplyTo } from "../../src/contract/message.ts";
import { isAddress, isAllowed } from "./addresses.ts";
import { type Mail, messageIdsIn } from "./mail.ts";

/** Where an answer goes and what it hangs on. */
export type ReplyRoute = {
  readonly to: string;
  readonly subject: string;
  /** Of the mail answered; `null`: it has none that could be named. */
  readonly messageId: string | null;
  /** Oldest first, without the mail answered: the root and the last ones. */
  readonly references: readonly string[];
};

/** What one of the stored strings may hold. */
const longestCharacters = 256;
/** Beside the three others at most sixteen strings. */
const mostReferences = 12;

/** Reply-To counts only where the policy lets its address write to us: else a mail could send our answers to anybody. */
export function routeOf(mail: Mail, allowedSenders: readonly string[]): ReplyRoute | null {
  const { from, replyTo, messageId } = mail;
  if (from === null) return null;
  const wanted = replyTo !== null && isAllowed(replyTo.address, allowedSenders) ? replyTo : from;
  return {
    to: wanted.address,
    subject: mail.subject,
    messageId: messageId !== null && isShort(messageId) ? messageId : null,
    references: boundedReferences(mail),
  };
}

/** The route as it is stored. */
export function storedRoute({ to, subject, messageId, references }: ReplyRoute): ReplyTo {
  return {
    to,
    subject: subject.slice(0, longestCharacters).toWellFormed(),
    ...(messageId === null ? {} : { message_id: messageId }),
    ...Object.fromEntries(references.map((id, index) => [`reference_${index}`, id])),
  };
}

/** What {@link storedRoute} stored; `null` for anything else. It has been in other hands and is checked again. */
export function routeFrom(replyTo: ReplyTo | null): ReplyRoute | null {
  const to = replyTo?.["to"] ?? "";
  if (replyTo === null || !isAddress(to)) return null;
  const references = Array.from({ length: mostReferences }, (_, index) => replyTo[`reference_${index}`] ?? "");
  return {
    to,
    subject: replyTo["subject"] ?? "",
    messageId: messageIdsIn(replyTo["message_id"] ?? "")[0] ?? null,
    references: references.flatMap((id) => messageIdsIn(id)),
  };
}

/** The root is what a thread is known by; of the rest the last ones say the most. */
function boundedReferences({ references, inReplyTo }: Mail): readonly string[] {
  const chain = references.length > 0 ? references : inReplyTo === null ? [] : [inReplyTo];
  const short = chain.filter(isShort);
  if (short.length <= mostReferences) return short;
  return [...short.slice(0, 1), ...short.slice(-(mostReferences - 1))];
}

function isShort(text: string): boolean {
  return text.length <= longestCharacters;
}
