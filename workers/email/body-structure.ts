/** What a server says a mail is made of: which part to read, and which are files. Pure. */
import type { MessageStructureObject } from "imapflow";
import { type MailFile, safeFilename, safeMimeType } from "./mail.ts";

/** A part to read. `part: null`: the mail's whole body. */
export type TextPart = { readonly part: string | null; readonly sizeBytes: number };

/** What {@link MessageStructureObject} comes to. */
export type MailOutline = { readonly text: TextPart | null; readonly files: readonly MailFile[] };

/** Parts looked at; what is beyond them nobody reads. */
const mostParts = 20_000;

/** The plain text, else the HTML; of several the first. */
export function outlineOf(structure: MessageStructureObject): MailOutline {
  const parts = leavesOf(structure);
  const readable = parts.filter(isText);
  const chosen = readable.find(({ type }) => type === "text/plain") ?? readable[0];
  return {
    text: chosen === undefined ? null : { part: chosen.part ?? null, sizeBytes: chosen.size ?? 0 },
    files: parts.filter((part) => !isText(part)).map(fileOf),
  };
}

/** Without recursion: a structure may be as deep as the server lets it. */
function leavesOf(structure: MessageStructureObject): readonly MessageStructureObject[] {
  const leaves: MessageStructureObject[] = [];
  const waiting = [structure];
  for (let seen = 0; seen < mostParts; seen += 1) {
    const next = waiting.pop();
    if (next === undefined) break;
    // A mail within a mail is a file.
    if (next.type.startsWith("multipart/")) waiting.push(...(next.childNodes ?? []).toReversed());
    else leaves.push(next);
  }
  return leaves;
}

function isText({ type, disposition }: MessageStructureObject): boolean {
  return (type === "text/plain" || type === "text/html") && (disposition ?? "inline").toLowerCase() === "inline";
}

function fileOf({ part, type, size, encoding, parameters, dispositionParameters }: MessageStructureObject): MailFile {
  return {
    filename: safeFilename(dispositionParameters?.["filename"] ?? parameters?.["name"]),
    mimeType: safeMimeType(type),
    sizeBytes: size === undefined ? null : decodedBytes(size, encoding),
    part: part ?? "1",
  };
}

/** Base64 has four characters for three bytes, and lines of 76. */
function decodedBytes(size: number, encoding: string | undefined): number {
  return encoding?.toLowerCase() === "base64" ? Math.floor((size * 57) / 78) : size;
}
