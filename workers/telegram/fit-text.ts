/** A text in parts that Telegram takes. */
import { GatewayError } from "../../src/contract/errors.ts";
import { splitText } from "../../src/support/split-text.ts";

/** Of a message, in UTF-16 units once formatting is parsed. https://core.telegram.org/bots/api#sendmessage */
export const textLimit = 4096;
/** Of a file's caption. */
export const captionLimit = 1024;

/** Markdown in parts: what is not longer with its marks is not longer without them. None for white space. */
export function fitText(markdown: string): readonly string[] {
  return splitText(markdown, { limit: textLimit });
}

/** @throws {GatewayError} `message_rejected` for a text that shows nothing. */
export function requireParts(markdown: string): readonly string[] {
  const parts = fitText(markdown);
  if (parts.length > 0) return parts;
  throw new GatewayError("message_rejected", "Cannot send the message: text is empty, expected at least one character");
}
