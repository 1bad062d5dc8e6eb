/** A stored payload as the message a handler gets. Called where handlers run, never on the gateway's own way of a message. */
import type { RouterStamp } from "./delivery.ts";
import { GatewayError } from "./errors.ts";
import type { Attachment, Message, ReplyTo, StoredMessage } from "./message.ts";

/** Fetches what an attachment refers to. `maxBytes` `null`: the gateway's own limit. */
export type AttachmentReader = (request: {
  readonly ref: string;
  readonly maxBytes: number | null;
}) => Promise<Uint8Array>;

/** A message for its handler, and what goes back with each reply to it. */
export type OpenedDelivery = { readonly message: Message; readonly replyTo: ReplyTo | null };

type Opened = Omit<StoredMessage, "metadata"> & { readonly metadata: Record<string, unknown> };

const decoder = new TextDecoder();

/**
 * `payload` as it was stored, with what this delivery adds. `metadata.sender_is_authority` and
 * `metadata.binding_settings` are the router's: what an adapter put there itself is gone.
 * @throws {SyntaxError} when it is no JSON.
 */
export function openDelivery(
  payload: Uint8Array,
  delivery: RouterStamp & { readonly attempt: number; readonly redelivered: boolean },
  readAttachment: AttachmentReader,
): OpenedDelivery {
  const { replyTo = null, attachments, ...stored } = parsePayload(payload);
  // Set whatever they are: a field left alone would be the adapter's.
  stored.metadata["sender_is_authority"] = delivery.senderIsAuthority;
  stored.metadata["binding_settings"] = delivery.bindingSettings ?? {};
  const { attempt, redelivered } = delivery;
  const readable = attachments.map((attachment) => readableAttachment(attachment, readAttachment));
  return { message: { ...stored, attachments: readable, attempt, redelivered }, replyTo };
}

/**
 * `payload` as it was stored, for people to look at: the router's two fields come with a delivery and are not in it.
 * @throws {SyntaxError} when it is no JSON.
 */
export function openStoredMessage(payload: Uint8Array): StoredMessage {
  const stored = parsePayload(payload);
  delete stored.metadata["sender_is_authority"];
  delete stored.metadata["binding_settings"];
  return stored;
}

/** `read` is no data: a message that is printed or cloned goes without it. */
function readableAttachment(attachment: Attachment, readAttachment: AttachmentReader): Message["attachments"][number] {
  const read = async ({ maxBytes = null }: { readonly maxBytes?: number | null } = {}): Promise<Uint8Array> => {
    if (attachment.ref === null)
      throw new GatewayError(
        "not_found",
        `Cannot read ${JSON.stringify(attachment.filename)}: its adapter fetches none`,
      );
    return readAttachment({ ref: attachment.ref, maxBytes });
  };
  Object.defineProperty(attachment, "read", { value: read, enumerable: false });
  return attachment as Message["attachments"][number];
}

/** Written by the adapter's shim of the same version: trusted to have the shape of a message. */
function parsePayload(payload: Uint8Array): Opened {
  return JSON.parse(decoder.decode(payload)) as Opened;
}
