/** {@link ReplyTo} as it is checked where it comes in: from an adapter, and back from a handler's thread. */
import { GatewayError } from "./errors.ts";
import type { ReplyTo } from "./message.ts";
import type { Response } from "./response.ts";

/** A response as it is stored and sent on. */
export type StoredResponse = Response & { readonly replyTo?: ReplyTo };

const mostEntries = 16;
const longestCharacters = 256;

/** @throws {GatewayError} `invalid_request` when it is no such record. */
export function parseReplyTo(value: unknown): ReplyTo | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "object" && !Array.isArray(value)) {
    const entries = Object.entries(value);
    if (entries.length <= mostEntries && entries.every((entry) => entry.every(isShortText))) return value as ReplyTo;
  }
  throw new GatewayError(
    "invalid_request",
    `Cannot take replyTo: expected at most ${mostEntries} strings of at most ${longestCharacters} characters`,
  );
}

function isShortText(value: unknown): boolean {
  return typeof value === "string" && value.length <= longestCharacters;
}

/** `response` as it is stored: with what its adapter needs to know of the message it answers. */
export function withReplyTo(response: Response, replyTo: ReplyTo | null): StoredResponse {
  return replyTo === null ? response : { ...response, replyTo };
}
