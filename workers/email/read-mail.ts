/** Bytes of a mail as a {@link Mail}. Runs in the MIME thread, whose heap and time are bounded. */
import { hash } from "node:crypto";
import { type AddressObject, type HeaderLines, type ParsedMail, simpleParser } from "mailparser";
import { isAddress, type MailAddress } from "./addresses.ts";
import { htmlText } from "./html-text.ts";
import { type AutomationMarks, type Mail, mailLimits, messageIdsIn, safeFilename, safeMimeType } from "./mail.ts";

/** What there is of a mail. */
export type MailSource =
  | { readonly kind: "whole"; readonly source: Uint8Array }
  /** Its header, and one part of it: that part's own header (`null`: it is the mail's) and the beginning of its body. */
  | {
      readonly kind: "part";
      readonly header: Uint8Array;
      readonly partHeader: Uint8Array | null;
      readonly body: Uint8Array;
    };

/** One reading. */
export type ReadMailTask = { readonly mail: MailSource; readonly maxTextBytes: number };

const parserOptions = {
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  keepCidLinks: true,
  keepDeliveryStatus: true,
  ignoreEmbedded: true,
  checksumAlgo: false,
  maxHeadSize: 262_144,
  maxChildNodes: 1_000,
} as const;

/** @throws {Error} what the parser says of a mail that it cannot read. */
export async function readMail({ mail, maxTextBytes }: ReadMailTask): Promise<Mail> {
  const parsed = await simpleParser(Buffer.from(bytesOf(mail)), parserOptions);
  const text = textOf(parsed);
  const kept = cutText(text, maxTextBytes);
  const from = soleAddress(parsed);
  const messageId = messageIdsIn(parsed.messageId ?? "")[0] ?? null;
  const subject = headerText(parsed.subject ?? "");
  return {
    messageId,
    inReplyTo: messageIdsIn(parsed.inReplyTo ?? "")[0] ?? null,
    references: boundedReferences([parsed.references ?? []].flat().join(" ")),
    from,
    replyTo: firstAddress(parsed.replyTo),
    to: headerText(
      [parsed.to ?? []]
        .flat()
        .map((list) => list.text)
        .join(", "),
    ),
    subject,
    dateMs: dateOf(parsed.headerLines),
    marks: marksOf(parsed),
    text: kept,
    isTextCut: kept.length < text.length,
    files: parsed.attachments.slice(0, mailLimits.files).map((file) => ({
      filename: safeFilename(file.filename),
      mimeType: safeMimeType(file.contentType),
      sizeBytes: file.size,
      part: file.partId ?? "1",
    })),
    filesLeftOut: Math.max(0, parsed.attachments.length - mailLimits.files),
    digest: digestOf([
      from?.address ?? "",
      lineOf(parsed.headerLines, "date"),
      subject,
      messageId === null ? text : "",
    ]),
  };
}

function bytesOf(mail: MailSource): Uint8Array {
  if (mail.kind === "whole") return mail.source;
  const { header, partHeader, body } = mail;
  if (partHeader === null) return Buffer.concat([withBlankLine(header), body]);
  // As if the mail had that part alone: what the header says of the whole body is the part's to say.
  return Buffer.concat([withoutBodyFields(header), withBlankLine(partHeader), body]);
}

function withBlankLine(header: Uint8Array): Uint8Array {
  return Buffer.from(`${Buffer.from(header).toString("latin1").trimEnd()}\r\n\r\n`, "latin1");
}

const bodyFields = ["content-type:", "content-transfer-encoding:", "content-disposition:", "content-id:"];

function withoutBodyFields(header: Uint8Array): Uint8Array {
  const kept: string[] = [];
  let isKept = true;
  for (const line of Buffer.from(header).toString("latin1").trimEnd().split("\n")) {
    // A line that begins with white space goes on with the field before it.
    if (!/^[ \t]/u.test(line)) isKept = !bodyFields.some((field) => line.slice(0, 40).toLowerCase().startsWith(field));
    if (isKept) kept.push(line.trimEnd());
  }
  return Buffer.from(kept.map((line) => `${line}\r\n`).join(""), "latin1");
}

/** The text as it was written; what the HTML says where there is none. */
function textOf({ text = "", html }: ParsedMail): string {
  const written = text.trim() === "" && typeof html === "string" ? htmlText(html) : text;
  return written.replaceAll("\r\n", "\n").replaceAll("\0", "").toWellFormed().trimEnd();
}

/** At most `maxBytes` of UTF-8, whole characters. */
function cutText(text: string, maxBytes: number): string {
  // No character takes more than three bytes for each of its units.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0b1100_0000) === 0b1000_0000) end -= 1;
  return bytes.subarray(0, end).toString();
}

/** Of several, servers check now one and now another before they vouch for it: such a mail is nobody's. */
function soleAddress({ from, headerLines }: ParsedMail): MailAddress | null {
  const isSole = headerLines.filter(({ key }) => key === "from").length === 1 && from?.value.length === 1;
  return isSole ? firstAddress(from) : null;
}

function firstAddress(list: AddressObject | undefined): MailAddress | null {
  // Members of a group are nobody's own address.
  for (const { name, address = "" } of list?.value ?? [])
    if (isAddress(address)) return { name: headerText(name), address };
  return null;
}

function headerText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, mailLimits.headerCharacters)
    .toWellFormed();
}

function boundedReferences(header: string): readonly string[] {
  const ids = messageIdsIn(header);
  return ids.length <= mailLimits.references ? ids : [...ids.slice(0, 1), ...ids.slice(1 - mailLimits.references)];
}

function marksOf({ headers, headerLines }: ParsedMail): AutomationMarks {
  const list = headers.get("list");
  const value = (name: string): string => lineOf(headerLines, name).toLowerCase();
  return {
    // Parameters may follow, and comments.
    autoSubmitted: value("auto-submitted").split(/[;(\s]/u)[0] ?? "",
    precedence: value("precedence"),
    isAutoReply: headers.has("x-autoreply") || headers.has("x-autorespond"),
    isList: typeof list === "object" && ("id" in list || "unsubscribe" in list),
    isReport: value("content-type").startsWith("multipart/report") || value("return-path") === "<>",
  };
}

/** The first field of that name as it stands, without its name; `""`: there is none. */
function lineOf(lines: HeaderLines, name: string): string {
  const line = lines.find(({ key }) => key === name)?.line ?? "";
  return line.slice(line.indexOf(":") + 1, mailLimits.headerCharacters).trim();
}

/** The parser takes a date that it cannot read for the present moment, which would be another one each time. */
function dateOf(lines: HeaderLines): number | null {
  const dateMs = Date.parse(lineOf(lines, "date"));
  return Number.isFinite(dateMs) && dateMs > 0 ? dateMs : null;
}

function digestOf(parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url").slice(0, 16);
}
