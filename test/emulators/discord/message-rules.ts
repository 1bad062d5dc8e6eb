/** What Discord takes as a message. {@link https://discord.com/developers/docs/resources/message#create-message-jsonform-params} */
import { codePoints, fieldsOf, listOf, textIn, type Fields } from "./fields.ts";
import { invalidField, Refusal } from "./refusal.ts";

/** A file that came with it. */
export type Upload = { readonly name: string; readonly contentType: string; readonly bytes: Buffer };

const longestContent = 2_000;
const largestUpload = 10 * 1_048_576;

/** @throws {Refusal} as Discord does. */
export function checkMessage(fields: Fields, uploads: readonly Upload[]): void {
  const content = fields["content"] ?? "";
  if (typeof content !== "string")
    throw invalidField("content", "STRING_TYPE_CONVERT", "Could not interpret as string");
  if (codePoints(content) > longestContent)
    throw invalidField("content", "BASE_TYPE_MAX_LENGTH", `Must be ${longestContent} or fewer in length.`);
  checkNonce(fields["nonce"]);
  checkMentions(fieldsOf(fields["allowed_mentions"]));
  checkEmbeds(listOf(fields["embeds"]));
  checkRows(listOf(fields["components"]));
  if (fields["poll"] !== undefined) checkPoll(fieldsOf(fields["poll"]));
  const hasEmbeds = listOf(fields["embeds"]).length > 0;
  if (content.trim() === "" && !hasEmbeds && fields["poll"] === undefined && uploads.length === 0)
    throw new Refusal(400, 50_006, "Cannot send an empty message");
  if (uploads.some(({ bytes }) => bytes.length > largestUpload))
    throw new Refusal(413, 40_005, "Request entity too large");
}

function checkNonce(nonce: unknown): void {
  if (nonce === undefined) return;
  if (typeof nonce !== "string" && typeof nonce !== "number")
    throw invalidField("nonce", "NONCE_TYPE_INVALID", "Must be a string or a number");
  if (String(nonce).length > 25) throw invalidField("nonce", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
}

function checkMentions(mentions: Fields): void {
  const parse = mentions["parse"];
  const known = ["users", "roles", "everyone"];
  if (parse !== undefined && !(Array.isArray(parse) && parse.every((each) => known.includes(String(each)))))
    throw invalidField("allowed_mentions.parse", "BASE_TYPE_CHOICES", "Value must be one of users, roles, everyone.");
}

function checkEmbeds(embeds: readonly Fields[]): void {
  if (embeds.length > 10) throw invalidField("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.");
  let total = 0;
  for (const [index, embed] of embeds.entries()) {
    const at = `embeds.${index}`;
    const footer = textIn(fieldsOf(embed["footer"]), "text");
    const author = textIn(fieldsOf(embed["author"]), "name");
    total += atMost(embed, "title", { at, most: 256 }) + atMost(embed, "description", { at, most: 4_096 });
    total += footer.length + author.length;
    const fields = listOf(embed["fields"]);
    if (fields.length > 25)
      throw invalidField(`${at}.fields`, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
    for (const [number, field] of fields.entries()) {
      const here = `${at}.fields.${number}`;
      total += required(field, "name", { at: here, most: 256 }) + required(field, "value", { at: here, most: 1_024 });
    }
    const timestamp = embed["timestamp"];
    if (timestamp !== undefined && (typeof timestamp !== "string" || Number.isNaN(Date.parse(timestamp))))
      throw invalidField(`${at}.timestamp`, "DATE_TIME_TYPE_PARSE", "Could not parse. Should be ISO8601.");
    if (Object.keys(embed).length === 0) throw new Refusal(400, 50_006, "Cannot send an empty message");
  }
  if (total > 6_000) throw invalidField("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000");
}

function checkRows(rows: readonly Fields[]): void {
  if (rows.length > 5) throw invalidField("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
  const customIds = new Set<string>();
  for (const [index, row] of rows.entries()) {
    const at = `components.${index}`;
    if (row["type"] !== 1)
      throw invalidField(`${at}.type`, "UNION_TYPE_CHOICES", "Value of field must be one of (1,).");
    const parts = listOf(row["components"]);
    const isSelect = parts.some(({ type }) => type === 3);
    if (parts.length < 1 || parts.length > (isSelect ? 1 : 5))
      throw invalidField(`${at}.components`, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
    for (const [number, part] of parts.entries()) checkComponent(part, `${at}.components.${number}`, customIds);
  }
}

function checkComponent(part: Fields, at: string, customIds: Set<string>): void {
  if (part["type"] === 3) {
    const options = listOf(part["options"]);
    if (options.length < 1 || options.length > 25)
      throw invalidField(`${at}.options`, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.");
    for (const [index, option] of options.entries()) {
      required(option, "label", { at: `${at}.options.${index}`, most: 100 });
      required(option, "value", { at: `${at}.options.${index}`, most: 100 });
    }
  } else if (part["type"] === 2) {
    atMost(part, "label", { at, most: 80 });
    if (part["style"] === 5) {
      required(part, "url", { at, most: 512 });
      if (part["custom_id"] !== undefined)
        throw invalidField(
          `${at}.custom_id`,
          "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
          "A custom id and url cannot both be specified",
        );
      return;
    }
  } else throw invalidField(`${at}.type`, "UNION_TYPE_CHOICES", "Value of field must be one of (2, 3, 5, 6, 7, 8).");
  required(part, "custom_id", { at, most: 100 });
  const customId = textIn(part, "custom_id");
  if (customIds.has(customId))
    throw invalidField(`${at}.custom_id`, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
  customIds.add(customId);
}

function checkPoll(poll: Fields): void {
  required(fieldsOf(poll["question"]), "text", { at: "poll.question", most: 300 });
  const answers = listOf(poll["answers"]);
  if (answers.length < 1 || answers.length > 10)
    throw invalidField("poll.answers", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.");
  for (const [index, answer] of answers.entries())
    required(fieldsOf(answer["poll_media"]), "text", { at: `poll.answers.${index}.poll_media`, most: 55 });
  const hours = poll["duration"] ?? 24;
  if (typeof hours !== "number" || hours < 1 || hours > 768)
    throw invalidField("poll.duration", "NUMBER_TYPE_MAX", "int value should be less than or equal to 768.");
}

type Limit = { readonly at: string; readonly most: number };

function atMost(fields: Fields, key: string, { at, most }: Limit): number {
  const text = fields[key] ?? "";
  if (typeof text !== "string")
    throw invalidField(`${at}.${key}`, "STRING_TYPE_CONVERT", "Could not interpret as string");
  if (codePoints(text) > most)
    throw invalidField(`${at}.${key}`, "BASE_TYPE_MAX_LENGTH", `Must be ${most} or fewer in length.`);
  return text.length;
}

function required(fields: Fields, key: string, limit: Limit): number {
  const length = atMost(fields, key, limit);
  if (textIn(fields, key).trim() === "")
    throw invalidField(`${limit.at}.${key}`, "BASE_TYPE_REQUIRED", "This field is required");
  return length;
}
