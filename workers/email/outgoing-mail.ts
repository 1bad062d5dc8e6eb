/** A response as a mail. Pure but for the moment it is written at. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { Response } from "../../src/contract/response.ts";
import { isAddress } from "./addresses.ts";
import { safeFilename, safeMimeType } from "./mail.ts";
import type { ReplyRoute } from "./reply-route.ts";
import { richHtml, richText } from "./rich-mail.ts";
import { answerSubject } from "./thread.ts";

/** A file of a mail. */
export type OutgoingFile = { readonly filename: string; readonly mimeType: string; readonly bytes: Uint8Array };

/** A mail to be sent. Ids are in angle brackets. */
export type OutgoingMail = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** `null`: the text alone. */
  readonly html: string | null;
  readonly files: readonly OutgoingFile[];
  readonly messageId: string;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  /** It answers a mail. */
  readonly isAnswer: boolean;
};

/** Where it goes: into a thread, or to somebody who has said nothing yet. */
export type Destination =
  | { readonly kind: "thread"; readonly route: ReplyRoute }
  | { readonly kind: "address"; readonly address: string };

const longestSubject = 200;
const longestOwnSubject = 78;

/**
 * @throws {GatewayError} `unsupported_response` for a kind that no mail says; `too_large` for a file that is larger than
 * `maxAttachmentBytes`; `message_rejected` for nothing at all.
 */
export function outgoingMail(
  response: Response,
  destination: Destination,
  { messageId, maxAttachmentBytes }: { readonly messageId: string; readonly maxAttachmentBytes: number },
): OutgoingMail {
  const { text, html, file, subject } = contentOf(response, maxAttachmentBytes);
  if (text.trim() === "" && file === null)
    throw new GatewayError("message_rejected", "Cannot write the mail: it has no text, expected some");
  const frame = { text, html, files: file === null ? [] : [file], messageId };
  if (destination.kind === "address") {
    const { address } = destination;
    if (!isAddress(address)) throw notAnAddress(address);
    const own = subject ?? file?.filename ?? firstLine(text);
    return { ...frame, to: address, subject: oneLine(own), inReplyTo: null, references: [], isAnswer: false };
  }
  const { route } = destination;
  if (!isAddress(route.to)) throw notAnAddress(route.to);
  return {
    ...frame,
    to: route.to,
    subject: oneLine(subject ?? answerSubject(route.subject)),
    inReplyTo: route.messageId,
    references: route.messageId === null ? route.references : [...route.references, route.messageId],
    isAnswer: true,
  };
}

type Content = {
  readonly text: string;
  readonly html: string | null;
  readonly file: OutgoingFile | null;
  /** `null`: the thread's. */
  readonly subject: string | null;
};

function contentOf(response: Response, maxAttachmentBytes: number): Content {
  const plain = { html: null, file: null, subject: null };
  switch (response.kind) {
    case "text":
      return { ...plain, text: response.text };
    case "thread_reply":
      return { ...plain, text: response.text, subject: response.threadName };
    case "file":
      return { ...plain, text: response.caption ?? "", file: fileOf(response, maxAttachmentBytes) };
    case "rich_message":
      return { ...plain, text: richText(response), html: richHtml(response) };
    case "reaction":
    case "remove_reaction":
    case "ephemeral":
    case "scheduled_message":
    case "stream_start":
    case "stream_chunk":
    case "stream_end":
      // The outbox has made a text of what has one.
      throw new GatewayError("unsupported_response", `Cannot send a response of kind ${response.kind} as a mail`);
  }
}

function fileOf(response: Extract<Response, { readonly kind: "file" }>, maxBytes: number): OutgoingFile {
  const bytes = Buffer.from(response.data, "base64");
  const filename = safeFilename(response.filename);
  if (bytes.length > maxBytes)
    throw new GatewayError(
      "too_large",
      `Cannot send ${filename}: found ${bytes.length} bytes, at most ${maxBytes} are allowed (max_attachment_bytes)`,
    );
  return { filename, mimeType: safeMimeType(response.mimeType), bytes };
}

function notAnAddress(text: string): GatewayError {
  return new GatewayError("not_found", `Cannot send mail to ${JSON.stringify(text.slice(0, 100))}: it is no address`);
}

function firstLine(text: string): string {
  const [line = ""] = text.trim().split("\n", 1);
  return line.length > longestOwnSubject ? `${line.slice(0, longestOwnSubject - 1)}…` : line;
}

/** A subject is one line, whatever it is made of. */
function oneLine(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, longestSubject)
    .toWellFormed();
  return line === "" ? "(no subject)" : line;
}
