/** Cards as Discord's embeds. {@link https://discord.com/developers/docs/resources/message#embed-object-embed-limits} Pure. */
import type { APIEmbed } from "discord.js";
import type { Response } from "../../src/contract/response.ts";
import { checkCount, checkText, checkUrl, wrong } from "./check-part.ts";

type Card = Extract<Response, { readonly kind: "rich_message" }>["cards"][number];

const mostCards = 10;
const mostFields = 25;
const mostCharacters = 6_000;
const largestColor = 0xffffff;

/** @throws {GatewayError} `invalid_request` naming the card's field that Discord would refuse. */
export function toEmbeds(cards: readonly Card[]): readonly APIEmbed[] {
  const embeds = checkCount(cards, "cards", { least: 0, most: mostCards }).map(toEmbed);
  const characters = embeds.reduce((sum, embed) => sum + lengthOf(embed), 0);
  if (characters > mostCharacters)
    throw wrong("cards", `have ${characters} characters in all`, `at most ${mostCharacters}`);
  return embeds;
}

function toEmbed(card: Card, index: number): APIEmbed {
  const at = `cards[${index}]`;
  const { title, description, color, url, footer, thumbnail, image, author, timestamp } = card;
  const fields = checkCount(card.fields, `${at}.fields`, { least: 0, most: mostFields }).map((field, number) => ({
    name: checkText(field.name, `${at}.fields[${number}].name`, { least: 1, most: 256 }),
    value: checkText(field.value, `${at}.fields[${number}].value`, { least: 1, most: 1_024 }),
    inline: field.inline,
  }));
  const embed: APIEmbed = {
    ...(title ? { title: checkText(title, `${at}.title`, { least: 1, most: 256 }) } : {}),
    ...(description ? { description: checkText(description, `${at}.description`, { least: 1, most: 4_096 }) } : {}),
    ...(color === undefined ? {} : { color: checkColor(color, `${at}.color`) }),
    ...(url === undefined ? {} : { url: checkUrl(url, `${at}.url`) }),
    ...(fields.length === 0 ? {} : { fields }),
    ...(footer === undefined ? {} : { footer: toFooter(footer, `${at}.footer`) }),
    ...(thumbnail === undefined ? {} : { thumbnail: { url: checkUrl(thumbnail.url, `${at}.thumbnail.url`) } }),
    ...(image === undefined ? {} : { image: { url: checkUrl(image.url, `${at}.image.url`) } }),
    ...(author === undefined ? {} : { author: toAuthor(author, `${at}.author`) }),
    ...(timestamp === undefined ? {} : { timestamp: checkTimestamp(timestamp, `${at}.timestamp`) }),
  };
  if (Object.keys(embed).length === 0) throw wrong(at, "is empty", "at least a title or a description");
  return embed;
}

function toFooter(footer: NonNullable<Card["footer"]>, at: string): NonNullable<APIEmbed["footer"]> {
  const { text, iconUrl } = footer;
  return {
    text: checkText(text, `${at}.text`, { least: 1, most: 2_048 }),
    ...(iconUrl === undefined ? {} : { icon_url: checkUrl(iconUrl, `${at}.iconUrl`) }),
  };
}

function toAuthor(author: NonNullable<Card["author"]>, at: string): NonNullable<APIEmbed["author"]> {
  const { name, url, iconUrl } = author;
  return {
    name: checkText(name, `${at}.name`, { least: 1, most: 256 }),
    ...(url === undefined ? {} : { url: checkUrl(url, `${at}.url`) }),
    ...(iconUrl === undefined ? {} : { icon_url: checkUrl(iconUrl, `${at}.iconUrl`) }),
  };
}

function checkColor(color: number, field: string): number {
  if (color >= 0 && color <= largestColor) return color;
  throw wrong(field, `is ${color}`, `0 to ${largestColor}`);
}

function checkTimestamp(timestamp: string, field: string): string {
  const atMs = Date.parse(timestamp);
  if (Number.isFinite(atMs)) return new Date(atMs).toISOString();
  throw wrong(field, "is no point in time", "ISO 8601");
}

/** What counts towards the limit of all of them together. */
function lengthOf({ title = "", description = "", fields = [], footer, author }: APIEmbed): number {
  const own = title.length + description.length + (footer?.text.length ?? 0) + (author?.name.length ?? 0);
  return fields.reduce((sum, { name, value }) => sum + name.length + value.length, own);
}
