/** Which conversation a mail belongs to, and what keeps our answers in it. https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4 */
import { hash } from "node:crypto";
import { comparable, domainOf } from "./addresses.ts";
import type { Mail } from "./mail.ts";

const keyCharacters = 24;
const keyForm = /^[0-9a-f]{24}$/u;
/** What our own Message-IDs begin with. */
const ownPrefix = "<bulkhead.";

/** Whether a conversation is a thread's key, and not an address. */
export function isThreadKey(conversation: string): boolean {
  return keyForm.test(conversation);
}

/**
 * The conversation of a mail: the same for its whole thread. A Message-ID of ours that it refers to names it outright;
 * else it is made of the thread's root, which is the first of its references, what it answers, or itself.
 */
export function conversationOf(mail: Mail, fromAddress: string): string {
  const related = [...mail.references, ...(mail.inReplyTo === null ? [] : [mail.inReplyTo])];
  for (const id of related) {
    const key = keyInOwnId(id, fromAddress);
    if (key !== null) return key;
  }
  const root = related[0] ?? mail.messageId;
  return keyOf(
    root ?? `${bareSubject(mail.subject).toLowerCase()}:${mail.from === null ? "" : comparable(mail.from.address)}`,
  );
}

/** The key of the thread that `root` began. */
export function keyOf(root: string): string {
  return hash("sha256", root, "hex").slice(0, keyCharacters);
}

/**
 * The Message-ID of something we say: the same for the same send, so that a repetition is known as one. It carries its
 * thread's key, so that an answer finds its conversation also where the answering program names nothing else.
 */
export function ownMessageId(send: {
  readonly conversation: string;
  readonly idempotencyKey: string;
  readonly fromAddress: string;
}): string {
  const { conversation, idempotencyKey, fromAddress } = send;
  const unique = hash("sha256", JSON.stringify([comparable(fromAddress), conversation, idempotencyKey]), "hex");
  // What is said to an address opens a thread of its own.
  const key = isThreadKey(conversation) ? conversation : unique.slice(-keyCharacters);
  return `${ownPrefix}${key}.${unique.slice(0, 22)}@${domainOf(fromAddress)}>`;
}

/** What every Message-ID of ours contains: for a server's search of headers. */
export const ownIdBeginning = ownPrefix.slice(1);

/** What every Message-ID of ours in a thread contains: for a server's search of headers. */
export function ownIdPart(key: string): string {
  return `${ownIdBeginning}${key}.`;
}

function keyInOwnId(id: string, fromAddress: string): string | null {
  const lower = id.toLowerCase();
  if (!lower.startsWith(ownPrefix) || !lower.endsWith(`@${domainOf(fromAddress)}>`)) return null;
  const key = lower.slice(ownPrefix.length, ownPrefix.length + keyCharacters);
  return isThreadKey(key) && lower[ownPrefix.length + keyCharacters] === "." ? key : null;
}

const answerPrefixes = ["re", "aw", "sv", "antw", "vs", "odp"];

/** The subject of an answer: `Re: ` once, whatever stands there already in the usual languages. */
export function answerSubject(subject: string): string {
  const bare = subject.trim();
  return hasAnswerPrefix(bare) ? bare : `Re: ${bare}`.trim();
}

function bareSubject(subject: string): string {
  let bare = subject.trim();
  while (hasAnswerPrefix(bare)) bare = bare.slice(bare.indexOf(":") + 1).trim();
  return bare;
}

function hasAnswerPrefix(subject: string): boolean {
  const colon = subject.indexOf(":");
  return colon > 0 && colon <= 4 && answerPrefixes.includes(subject.slice(0, colon).toLowerCase());
}
