/** An emitted message as what travels and is stored: a routing header and a payload, made once, in the adapter's thread. */
import { GatewayError } from "../src/contract/errors.ts";
import { parseReplyTo } from "../src/contract/reply-to.ts";
import {
  messageKinds,
  type Attachment,
  type EmittedMessage,
  type RoutingHeader,
  type StoredMessage,
} from "../src/contract/message.ts";

const longestIdCharacters = 512;
const longestRefCharacters = 1024;
const longestPayloadBytes = 4_194_304;

/** The hash function is handed in, so that a test can count on its input. */
export type HashText = (algorithm: string, text: string, encoding: "base64url") => string;

/**
 * @throws {GatewayError} `invalid_request` naming the field that is wrong; `too_large` above 4 MiB.
 */
export function encodeMessage(
  message: EmittedMessage,
  identity: { readonly key: string; readonly platform: string },
  hashText: HashText,
): { readonly header: RoutingHeader; readonly payload: Uint8Array } {
  const { id: platformId, conversation, sender, text, kind = "text", revision = "" } = message;
  requireText("id", platformId);
  requireText("conversation", conversation);
  requireText("sender.id", sender?.id);
  if (typeof text !== "string") throw wrong("text", text, "a string");
  if (!messageKinds.includes(kind)) throw wrong("kind", kind, `one of ${messageKinds.join(", ")}`);
  const replyTo = parseReplyTo(message.replyTo);
  // The same platform event has the same id for ever: this is what duplicates are known by.
  const identityText = JSON.stringify([identity.key, kind, conversation, platformId, revision]);
  const id = `m${hashText("sha256", identityText, "base64url").slice(0, 22)}`;
  const stored: StoredMessage = {
    id,
    adapter: identity.key,
    platform: identity.platform,
    conversation,
    lane: `${identity.key}/${conversation}`,
    sender: { id: sender.id, name: sender.name ?? sender.id, isBot: sender.isBot ?? false },
    kind,
    text,
    attachments: (message.attachments ?? []).map(fullAttachment),
    metadata: { message_id: platformId, ...message.metadata },
    timestamp: message.timestamp ?? new Date().toISOString(),
    ...(replyTo === null ? {} : { replyTo }),
  };
  const payload = Buffer.from(JSON.stringify(stored));
  if (payload.length > longestPayloadBytes)
    throw new GatewayError(
      "too_large",
      `Cannot emit a message of ${payload.length} bytes: at most ${longestPayloadBytes} are allowed`,
    );
  return {
    header: { id, conversation, kind, senderId: sender.id, bytes: payload.length, routing: message.routing ?? {} },
    payload,
  };
}

function fullAttachment(attachment: Partial<Attachment>): Attachment {
  return {
    filename: attachment.filename ?? "file",
    mimeType: attachment.mimeType ?? "application/octet-stream",
    url: attachment.url ?? null,
    sizeBytes: attachment.sizeBytes ?? null,
    ref: refOf(attachment),
  };
}

function refOf({ ref = null }: Partial<Attachment>): string | null {
  if (ref === null || (typeof ref === "string" && ref.length <= longestRefCharacters)) return ref;
  throw wrong("attachments[].ref", ref, `a string of at most ${longestRefCharacters} characters`);
}

function requireText(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "" || value.length > longestIdCharacters)
    throw wrong(name, value, `a string of 1 to ${longestIdCharacters} characters`);
}

function wrong(name: string, value: unknown, wanted: string): GatewayError {
  const found = typeof value === "string" ? `${value.length} characters` : typeof value;
  return new GatewayError("invalid_request", `Cannot emit the message: ${name} is ${found}, expected ${wanted}`);
}
