/** A response as the messages that Discord takes: each at most 2,000 characters, pictures and buttons on the last. Pure. */
import type { Response } from "../../src/contract/response.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { splitText } from "../../src/support/split-text.ts";
import { toPoll, toRows } from "./components.ts";
import { toEmbeds } from "./embeds.ts";
import type { MessageBody } from "./interactions.ts";

/** UTF-16 units: whatever Discord counts, it is never more than these. */
const longestContent = 2_000;
/** People are notified, never everyone at once: a text may be a model's. */
const allowedMentions = { parse: ["users"], replied_user: false };

/** A text in parts that fit; none for one that shows nothing. */
export function fitContent(text: string): readonly string[] {
  return splitText(text, { limit: longestContent });
}

/** One message with `content`. */
export function textBody(content: string): MessageBody {
  return { fields: { content, allowed_mentions: allowedMentions }, files: [] };
}

/** @throws {GatewayError} `message_rejected` for a text that shows nothing. */
export function textParts(text: string): readonly MessageBody[] {
  const parts = fitContent(text).map(textBody);
  if (parts.length > 0) return parts;
  throw new GatewayError("message_rejected", "Cannot send the message: text is empty, expected some");
}

/** The caption's first part goes with the file. */
export function fileParts(response: Extract<Response, { readonly kind: "file" }>): readonly MessageBody[] {
  const { filename, mimeType, data, caption = "" } = response;
  const file = { name: filename, contentType: mimeType, data: Buffer.from(data, "base64") };
  const [first = { fields: { allowed_mentions: allowedMentions }, files: [] }, ...rest] =
    fitContent(caption).map(textBody);
  return [{ ...first, files: [file] }, ...rest];
}

/** @throws {GatewayError} `invalid_request` naming the part that is wrong, `message_rejected` when there is nothing to show. */
export function richParts(response: Extract<Response, { readonly kind: "rich_message" }>): readonly MessageBody[] {
  const { text, cards, interactiveElements, poll } = response;
  const embeds = toEmbeds(cards);
  const components = toRows(interactiveElements);
  const extras = {
    ...(embeds.length === 0 ? {} : { embeds }),
    ...(components.length === 0 ? {} : { components }),
    ...(poll === undefined ? {} : { poll: toPoll(poll) }),
  };
  const parts = fitContent(text).map(textBody);
  const last = parts.pop();
  if (last !== undefined) return [...parts, { ...last, fields: { ...last.fields, ...extras } }];
  // Buttons alone are no message for Discord.
  if (embeds.length === 0 && poll === undefined) return textParts(text);
  return [{ fields: { ...extras, allowed_mentions: allowedMentions }, files: [] }];
}
