/** The frames between the page and the server: one JSON object each. What the page sends is parsed here and trusted from then on. */
import type { ErrorCode } from "../../src/contract/errors.ts";
import type { Response } from "../../src/contract/response.ts";
import { responseText } from "../../src/support/response-text.ts";

/** The most text of one message, in bytes of UTF-8. */
export const messageLimitBytes = 16_384;
/** The largest frame of a page, in bytes. */
export const frameLimitBytes = 65_536;

/** What the page says. */
export type ClientFrame =
  /** The first frame. `after`: everything up to this cursor is on the page. */
  | { readonly type: "hello"; readonly conversation: string; readonly after: number; readonly token: string }
  /** Sent again with the same `clientId` until it is answered; accepted once. */
  | { readonly type: "message"; readonly clientId: string; readonly text: string }
  /** The page has stored everything up to this cursor. */
  | { readonly type: "ack"; readonly cursor: number }
  | { readonly type: "ping" };

/** What a page can show. */
export type PageResponse =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "file";
      readonly filename: string;
      readonly mimeType: string;
      /** Base64. */
      readonly data: string;
      readonly caption: string;
    }
  | { readonly kind: "stream_start" }
  | { readonly kind: "stream_end"; readonly text: string };

/** What the server says. */
export type ServerFrame =
  | { readonly type: "ready" }
  /** The conversation or the token is refused; the socket is closed after it. */
  | { readonly type: "denied"; readonly error: { readonly code: ErrorCode; readonly message: string } }
  /** On disk. */
  | { readonly type: "accepted"; readonly clientId: string; readonly id: string }
  /** `retryAfterMs` `null`: the same again will be refused again. */
  | {
      readonly type: "rejected";
      readonly clientId: string;
      readonly error: { readonly code: ErrorCode; readonly message: string };
      readonly retryAfterMs: number | null;
    }
  | { readonly type: "entry"; readonly cursor: number; readonly response: PageResponse }
  | { readonly type: "typing"; readonly on: boolean }
  /** The running stream's full text so far. */
  | { readonly type: "chunk"; readonly text: string }
  | { readonly type: "pong" };

/** As good as a password: whoever knows it can read the replies. 128 random bits take 22 characters. */
const conversationForm = /^[A-Za-z0-9_-]{22,128}$/u;
const clientIdForm = /^[A-Za-z0-9_-]{1,64}$/u;

/** A page's frame; `null` for what is none. */
export function parseClientFrame(json: string): ClientFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Not a frame is all there is to say of it.
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const fields = value as Record<string, unknown>;
  if (fields["type"] === "ping") return { type: "ping" };
  if (fields["type"] === "hello") return parseHello(fields);
  if (fields["type"] === "ack") return isCursor(fields["cursor"]) ? { type: "ack", cursor: fields["cursor"] } : null;
  const { clientId, text } = fields;
  if (fields["type"] !== "message" || typeof clientId !== "string" || typeof text !== "string") return null;
  return clientIdForm.test(clientId) ? { type: "message", clientId, text } : null;
}

/** A waiting response as the page gets it. What no text stands for comes empty, so that the page's cursor passes it. */
export function toPageResponse(response: Response): PageResponse {
  switch (response.kind) {
    case "file": {
      const { filename, mimeType, data, caption } = response;
      return { kind: "file", filename, mimeType, data, caption: caption ?? "" };
    }
    case "stream_start":
      return { kind: "stream_start" };
    case "stream_end":
      return { kind: "stream_end", text: response.text };
    case "text":
    case "thread_reply":
    case "ephemeral":
    case "rich_message":
    case "scheduled_message":
    case "stream_chunk":
    case "reaction":
    case "remove_reaction":
      break;
  }
  return { kind: "text", text: responseText(response) ?? "" };
}

function parseHello(fields: Readonly<Record<string, unknown>>): ClientFrame | null {
  const { conversation, after, token } = fields;
  if (typeof conversation !== "string" || !conversationForm.test(conversation) || !isCursor(after)) return null;
  if (token !== undefined && token !== null && typeof token !== "string") return null;
  return { type: "hello", conversation, after, token: token ?? "" };
}

function isCursor(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
