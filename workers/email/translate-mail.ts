/** A mail as the message that a consumer gets. Pure. */
import type { EmittedMessage } from "../../src/contract/message.ts";
import { comparable } from "./addresses.ts";
import { fileRef, type MailPlace } from "./file-ref.ts";
import type { Mail, MailFile } from "./mail.ts";
import { routeOf, storedRoute } from "./reply-route.ts";
import { conversationOf } from "./thread.ts";

/** What translating needs to know. */
export type Translation = {
  readonly place: MailPlace;
  readonly receivedAtMs: number | null;
  readonly fromAddress: string;
  readonly allowedSenders: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxAttachmentBytes: number;
};

const longestIdCharacters = 400;
const longestMetadataCharacters = 1_000;
/** A date that a sender's clock made up says nothing. */
const longestClockErrorMs = 86_400_000;

/** The same mail has the same id wherever and whenever it is found; senders that use one Message-ID for many are told apart. */
export function mailIdOf({ messageId, digest }: Mail): string {
  return `${(messageId ?? "<none>").slice(0, longestIdCharacters)}#${digest}`;
}

/** A mail that was read. */
export function translateMail(mail: Mail, translation: Translation): EmittedMessage {
  const { maxAttachmentBytes, place } = translation;
  const hasFiles = mail.files.length > 0;
  const notices = [
    mail.isTextCut ? `[The rest is left out: this mail has more than ${translation.maxBodyBytes} bytes of text]` : null,
    ...mail.files.map((file) => tooLargeNotice(file, maxAttachmentBytes)),
    mail.filesLeftOut > 0 ? `[${mail.filesLeftOut} more files are left out]` : null,
  ].filter((notice) => notice !== null);
  const text = [mail.text === "" && !hasFiles ? "(No message body)" : mail.text, ...notices];
  return {
    ...frameOf(mail, translation),
    kind: hasFiles ? "media" : "text",
    text: text.filter((part) => part !== "").join("\n\n"),
    attachments: mail.files.map((file) => ({
      filename: file.filename,
      mimeType: file.mimeType,
      sizeBytes: file.sizeBytes,
      ref: fileRef({ ...place, part: file.part }),
    })),
  };
}

/** A mail of which the header alone could be read. */
export function translateUnreadable(mail: Mail, problem: string, translation: Translation): EmittedMessage {
  return { ...frameOf(mail, translation), text: unreadableText(problem) };
}

/** A mail of which nothing could be read: it is in the mailbox, and somebody should look. */
export function translateUnknown(place: MailPlace, problem: string): EmittedMessage {
  const id = `unreadable-${place.uidValidity}-${place.uid}`;
  return {
    id,
    conversation: id,
    sender: { id: "unknown", name: "unknown" },
    text: unreadableText(problem),
    metadata: { email_folder: place.folder, email_uid: place.uid, email_unreadable: true },
    routing: { isDirect: true },
  };
}

function unreadableText(problem: string): string {
  return `[This mail cannot be read: ${problem}]`;
}

function tooLargeNotice({ filename, sizeBytes }: MailFile, maxBytes: number): string | null {
  if (sizeBytes === null || sizeBytes <= maxBytes) return null;
  return `[${filename} has ${sizeBytes} bytes: more than the ${maxBytes} that are allowed, so it cannot be read]`;
}

/** What does not depend on how much of a mail could be read. */
function frameOf(mail: Mail, translation: Translation): Omit<EmittedMessage, "text"> {
  const { place, fromAddress, allowedSenders } = translation;
  const conversation = conversationOf(mail, fromAddress);
  const route = routeOf(mail, allowedSenders);
  const timestamp = timestampOf(mail, translation.receivedAtMs);
  const from = mail.from?.address ?? "";
  return {
    id: mailIdOf(mail),
    conversation,
    sender: mail.from === null ? { id: "unknown" } : { id: comparable(from), name: mail.from.name || from },
    ...(timestamp === null ? {} : { timestamp }),
    metadata: {
      email_from: from,
      email_reply_to: mail.replyTo?.address ?? from,
      email_to: mail.to.slice(0, longestMetadataCharacters),
      email_subject: mail.subject,
      email_message_id: mail.messageId,
      email_in_reply_to: mail.inReplyTo,
      email_references: mail.references,
      email_folder: place.folder,
      email_uid: place.uid,
      email_thread_key: conversation,
      channel_name: `Email: ${mail.subject}`,
      sender_display_name: mail.from?.name || from,
    },
    // It was written to this mailbox.
    routing: { isDirect: true },
    ...(route === null ? {} : { replyTo: storedRoute(route) }),
  };
}

function timestampOf({ dateMs }: Mail, receivedAtMs: number | null): string | null {
  const isCredible = dateMs !== null && (receivedAtMs === null || dateMs <= receivedAtMs + longestClockErrorMs);
  const timeMs = isCredible ? dateMs : receivedAtMs;
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
