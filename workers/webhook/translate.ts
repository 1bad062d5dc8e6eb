/** A waiting response as `GET /poll` gives it. */
import type { MailboxEntry } from "../../src/contract/adapter.ts";
import type { ResponseKind } from "../../src/contract/response.ts";
import { responseText } from "../../src/support/response-text.ts";

/** One element of a poll's `messages`; the names are those of the wire. */
export type PollMessage = {
  readonly cursor: number;
  readonly type: "text" | "file" | "stream_start" | "stream_chunk" | "stream_end";
  /** A file's is its caption. */
  readonly content: string;
  readonly filename?: string;
  readonly mime_type?: string;
  /** Base64. */
  readonly data?: string;
  readonly caption?: string;
};

/** `null` for what no text stands for: the cursor goes past it. */
export function toPollMessage({ cursor, response }: MailboxEntry): PollMessage | null {
  const content = responseText(response);
  if (content === null) return null;
  if (response.kind === "file") {
    const { filename, mimeType, data, caption } = response;
    const file: PollMessage = { cursor, type: "file", content, filename, mime_type: mimeType, data };
    return caption === undefined ? file : { ...file, caption };
  }
  return { cursor, type: isStreamKind(response.kind) ? response.kind : "text", content };
}

function isStreamKind(kind: ResponseKind): kind is "stream_start" | "stream_chunk" | "stream_end" {
  return kind === "stream_start" || kind === "stream_chunk" || kind === "stream_end";
}
