/** What comes in over HTTP, parsed: trusted from here on. */
import { isUtf8 } from "node:buffer";
import type { Attachment, EmittedMessage } from "../../src/contract/message.ts";
import { GatewayError } from "../../src/contract/errors.ts";

/** Where a request goes. `path` is without the query. */
export type Target =
  | { readonly kind: "send" }
  | { readonly kind: "health" }
  | { readonly kind: "poll"; readonly conversation: string; readonly after: number | null; readonly waitMs: number }
  | { readonly kind: "unknown" };

const longestId = 512;
const maxAttachments = 100;
const longestWaitSeconds = 60;
const pollPrefix = "/poll/";

/**
 * The target of a request line's URL.
 * @throws {GatewayError} `invalid_request` for a poll whose conversation, `wait` or `after` cannot be.
 */
export function parseTarget(url: string): Target {
  const queryAt = url.indexOf("?");
  const path = queryAt === -1 ? url : url.slice(0, queryAt);
  if (path === "/send") return { kind: "send" };
  if (path === "/health") return { kind: "health" };
  if (!path.startsWith(pollPrefix)) return { kind: "unknown" };
  const query = queryAt === -1 ? null : new URLSearchParams(url.slice(queryAt + 1));
  return {
    kind: "poll",
    conversation: parseId(decode(path.slice(pollPrefix.length)), "conversation_id"),
    after: parseNumber(query, "after", /^\d{1,16}$/u, Number.MAX_SAFE_INTEGER),
    waitMs: Math.round((parseNumber(query, "wait", /^\d{1,2}(\.\d{1,3})?$/u, longestWaitSeconds) ?? 0) * 1000),
  };
}

/**
 * The message that a `POST /send` body stands for. Without `message_id` it has a random one: sent again it is another.
 * @throws {GatewayError} `invalid_request` naming the field, what was found and what is wanted.
 */
export function parseSend(body: Uint8Array): EmittedMessage {
  const fields = parseObject(body);
  const conversation = parseId(fields["conversation_id"], "conversation_id");
  const attachments = parseAttachments(fields["attachments"]);
  const text = fields["content"] ?? (attachments.length > 0 ? "" : undefined);
  if (typeof text !== "string") throw wrong("content", text, "a string");
  if (text === "" && attachments.length === 0) throw wrong("content", text, "text or attachments");
  const senderName = optionalText(fields["sender_name"], "sender_name");
  // spacebot's word for the same thing.
  const consumer = optionalText(fields["consumer"], "consumer") ?? optionalText(fields["agent_id"], "agent_id");
  const messageId = fields["message_id"] ?? null;
  const sender = fields["sender_id"] ?? null;
  const senderId = sender === null ? "webhook" : parseId(sender, "sender_id");
  return {
    id: messageId === null ? crypto.randomUUID() : parseId(messageId, "message_id"),
    conversation,
    sender: senderName === null ? { id: senderId } : { id: senderId, name: senderName },
    text,
    kind: attachments.length > 0 ? "media" : "text",
    ...(attachments.length > 0 ? { attachments } : {}),
    ...(consumer === null ? {} : { routing: { consumer } }),
  };
}

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (!isUtf8(body)) throw new GatewayError("invalid_request", "Cannot read the body: found bytes that are not UTF-8");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch (cause) {
    throw new GatewayError("invalid_request", "Cannot read the body: it is not JSON, wanted an object", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new GatewayError("invalid_request", `Cannot read the body: found ${describe(value)}, wanted an object`);
  return value as Record<string, unknown>;
}

function parseAttachments(value: unknown): readonly Partial<Attachment>[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong("attachments", value, "a list");
  if (value.length > maxAttachments) throw wrong("attachments", `${value.length} of them`, `at most ${maxAttachments}`);
  return value.map((entry: unknown, index) => parseAttachment(entry, `attachments[${index}]`));
}

function parseAttachment(value: unknown, path: string): Partial<Attachment> {
  if (typeof value !== "object" || value === null) throw wrong(path, value, "an object");
  const fields = value as Record<string, unknown>;
  const url = optionalText(fields["url"], `${path}.url`);
  if (url !== null && !/^https?:\/\//iu.test(url)) throw wrong(`${path}.url`, url, "an http or https address");
  const sizeBytes = fields["size_bytes"] ?? null;
  if (sizeBytes !== null && !(typeof sizeBytes === "number" && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0))
    throw wrong(`${path}.size_bytes`, sizeBytes, "a whole number of bytes");
  return {
    filename: optionalText(fields["filename"], `${path}.filename`) ?? "file",
    mimeType: optionalText(fields["mime_type"], `${path}.mime_type`) ?? "application/octet-stream",
    url,
    sizeBytes,
  };
}

function parseId(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(path, value, "a string");
  if (value === "" || value.length > longestId) throw wrong(path, value, `1 to ${longestId} characters`);
  // A lone surrogate does not survive the journal, and a control character no log line.
  if (!value.isWellFormed() || /\p{Cc}/u.test(value)) throw wrong(path, value, "text without control characters");
  return value;
}

function optionalText(value: unknown, path: string): string | null {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value !== "string") throw wrong(path, value, "a string");
  if (value.length > 4096) throw wrong(path, value, "at most 4096 characters");
  return value;
}

function parseNumber(query: URLSearchParams | null, name: string, form: RegExp, most: number): number | null {
  const text = query?.get(name) ?? null;
  if (text === null) return null;
  if (!form.test(text) || Number(text) > most) throw wrong(name, text, `a number from 0 to ${most}`);
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Its message says no more than that.
    throw wrong("conversation_id", text, "percent-encoded UTF-8");
  }
}

function wrong(path: string, found: unknown, wanted: string): GatewayError {
  return new GatewayError(
    "invalid_request",
    `Cannot accept the request: ${path} is ${describe(found)}, wanted ${wanted}`,
  );
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value !== "string") return (JSON.stringify(value) ?? typeof value).slice(0, 60);
  return value === "" ? "empty" : JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
