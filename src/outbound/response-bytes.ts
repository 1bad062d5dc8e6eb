/** Responses as the bytes they are stored and sent as; the kind is read without opening them. */
import { GatewayError } from "../contract/errors.ts";
import { responseKinds } from "../contract/response-kinds.ts";
import type { StoredResponse } from "../contract/reply-to.ts";
import type { ResponseKind } from "../contract/response.ts";

const opening = Buffer.from('{"kind":"');
const quote = 34;
const longestKind = 20;
const decoder = new TextDecoder();

/** A response as JSON. Its kind comes first: {@link kindOf} relies on it only for speed. */
export function encodeResponse(response: StoredResponse): Uint8Array {
  const { kind, ...rest } = response;
  return Buffer.from(JSON.stringify({ kind, ...rest }));
}

/** @throws {GatewayError} `invalid_request` when the bytes are no response. */
export function decodeResponse(bytes: Uint8Array): StoredResponse {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new GatewayError("invalid_request", "Cannot read a stored response: it is no JSON", { cause });
  }
  // Checked where it was made, by `parseResponse`; only what could not be sent at all is looked for here.
  if (isKind((value as { kind?: unknown } | null)?.kind)) return value as StoredResponse;
  throw new GatewayError("invalid_request", "Cannot read a stored response: it has no known kind");
}

/** The kind of an encoded response. @throws {GatewayError} `invalid_request` when the bytes are no response. */
export function kindOf(bytes: Uint8Array): ResponseKind {
  if (startsWith(bytes, opening)) {
    const end = bytes.indexOf(quote, opening.length);
    if (end > opening.length && end <= opening.length + longestKind) {
      const kind = String.fromCharCode(...bytes.subarray(opening.length, end));
      if (isKind(kind)) return kind;
    }
  }
  return decodeResponse(bytes).kind;
}

/** Whether it is a plain text, which every platform shows: the one kind that is never opened on its way. */
export function isText(bytes: Uint8Array): boolean {
  return startsWith(bytes, textOpening);
}
const textOpening = Buffer.from('{"kind":"text"');

function startsWith(bytes: Uint8Array, wanted: Uint8Array): boolean {
  if (bytes.length < wanted.length) return false;
  for (let index = 0; index < wanted.length; index += 1) if (bytes[index] !== wanted[index]) return false;
  return true;
}

function isKind(value: unknown): value is ResponseKind {
  return (responseKinds as readonly unknown[]).includes(value);
}
