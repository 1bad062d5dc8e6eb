/** A stored payload as the message a handler gets. Called where handlers run, never on the gateway's own way of a message. */
import type { Message, StoredMessage } from "./message.ts";

const decoder = new TextDecoder();

/** `payload` as it was stored, with what this delivery adds. @throws {SyntaxError} when it is no JSON. */
export function openMessage(
  payload: Uint8Array,
  delivery: { readonly attempt: number; readonly redelivered: boolean },
): Message {
  // Written by the adapter's shim of the same version: trusted.
  const stored = JSON.parse(decoder.decode(payload)) as StoredMessage & { attempt: number; redelivered: boolean };
  stored.attempt = delivery.attempt;
  stored.redelivered = delivery.redelivered;
  return stored;
}
