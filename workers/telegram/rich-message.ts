/** Rich messages in Telegram's means: cards as text, buttons as an inline keyboard, a poll as a poll. Pure. */
import type { InlineKeyboardButton, InlineKeyboardMarkup } from "grammy/types";
import { GatewayError } from "../../src/contract/errors.ts";
import type { Response } from "../../src/contract/response.ts";
import { valueSeparator } from "./translate-update.ts";

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;
type Card = RichMessage["cards"][number];
type Element = RichMessage["interactiveElements"][number];
type Poll = NonNullable<RichMessage["poll"]>;

const longestDataBytes = 64;
const longestLabel = 64;
const mostButtons = 100;

/** Text and cards as one text of Markdown; `""` where there is neither. */
export function richText({ text, cards }: RichMessage): string {
  return [text, ...cards.map(cardText)].filter((block) => block.trim() !== "").join("\n\n");
}

function cardText(card: Card): string {
  const title = card.title === undefined ? "" : linked(`**${escapeMarkdown(card.title)}**`, card.url);
  const blocks = [
    card.author === undefined ? "" : linked(escapeMarkdown(card.author.name), card.author.url),
    title,
    card.description ?? "",
    ...card.fields.map(({ name, value }) => `**${escapeMarkdown(name)}**\n${value}`),
    card.title === undefined && card.url !== undefined ? card.url : "",
    card.image?.url ?? "",
    card.footer === undefined ? "" : `*${escapeMarkdown(card.footer.text)}*`,
    card.timestamp ?? "",
  ];
  return blocks.filter((block) => block.trim() !== "").join("\n\n");
}

function linked(content: string, url: string | undefined): string {
  return url === undefined ? content : `[${content}](<${url.replaceAll(/[<>\s]/gu, encodeURIComponent)}>)`;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]~|<>#]/gu, "\\$&");
}

/**
 * The keyboard below the message; `undefined`: none. A select is a column of buttons, since Telegram has no other.
 * @throws {GatewayError} `message_rejected` naming the button that Telegram would refuse.
 */
export function keyboardOf(elements: readonly Element[]): InlineKeyboardMarkup | undefined {
  const rows = elements.flatMap((element, index) => rowsOf(element, `interactiveElements[${index}]`));
  if (rows.length === 0) return undefined;
  const count = rows.flat().length;
  if (count > mostButtons) throw rejected("interactiveElements", `${count} buttons`, `at most ${mostButtons}`);
  return { inline_keyboard: rows };
}

function rowsOf(element: Element, path: string): InlineKeyboardButton[][] {
  if (element.kind === "buttons") {
    const buttons = element.buttons.map((button, index) => buttonOf(button, `${path}.buttons[${index}]`));
    // Longer rows are squeezed until nobody can read them.
    return Array.from({ length: Math.ceil(buttons.length / 4) }, (_, row) => buttons.slice(row * 4, row * 4 + 4));
  }
  return element.options.map((option, index) => [
    callbackButton(
      option.emoji === undefined ? option.label : `${option.emoji} ${option.label}`,
      `${element.customId}${valueSeparator}${option.value}`,
      `${path}.options[${index}]`,
    ),
  ]);
}

function buttonOf(
  {
    label,
    customId,
    url,
  }: { readonly label: string; readonly customId?: string | undefined; readonly url?: string | undefined },
  path: string,
): InlineKeyboardButton {
  if (url === undefined) return callbackButton(label, customId ?? label, path);
  if (!/^(?:https?|tg):\/\//iu.test(url)) throw rejected(`${path}.url`, url.slice(0, 40), "http, https or tg");
  return { text: labelText(label, path), url };
}

function callbackButton(label: string, data: string, path: string): InlineKeyboardButton {
  const bytes = Buffer.byteLength(data);
  if (bytes === 0 || bytes > longestDataBytes)
    throw rejected(`${path}.customId`, `${bytes} bytes`, `1 to ${longestDataBytes}, with a select's value`);
  return { text: labelText(label, path), callback_data: data };
}

function labelText(label: string, path: string): string {
  if (label.trim() === "") throw rejected(`${path}.label`, "no text", `1 to ${longestLabel} characters`);
  return label.length <= longestLabel ? label : `${label.slice(0, longestLabel - 1)}…`;
}

const longestQuestion = 300;
const longestAnswer = 100;
const leastAnswers = 2;
const mostAnswers = 12;
/** https://core.telegram.org/bots/api#sendpoll */
const longestPollSeconds = 2_628_000;

/** @throws {GatewayError} `message_rejected` naming the field that Telegram would refuse. */
export function pollFields(poll: Poll): {
  readonly question: string;
  readonly options: { readonly text: string }[];
  readonly is_anonymous: boolean;
  readonly allows_multiple_answers: boolean;
  readonly open_period: number;
} {
  const question = poll.question.trim();
  if (question === "" || question.length > longestQuestion)
    throw rejected("poll.question", `${question.length} characters`, `1 to ${longestQuestion}`);
  const answers = poll.answers.map((answer) => answer.trim());
  if (answers.length < leastAnswers || answers.length > mostAnswers)
    throw rejected("poll.answers", `${answers.length} answers`, `${leastAnswers} to ${mostAnswers}`);
  for (const [index, answer] of answers.entries())
    if (answer === "" || answer.length > longestAnswer)
      throw rejected(`poll.answers[${index}]`, `${answer.length} characters`, `1 to ${longestAnswer}`);
  return {
    question,
    options: answers.map((text) => ({ text })),
    is_anonymous: false,
    allows_multiple_answers: poll.allowMultiselect,
    open_period: Math.min(longestPollSeconds, poll.durationHours * 3600),
  };
}

function rejected(path: string, found: string, wanted: string): GatewayError {
  return new GatewayError("message_rejected", `Cannot send the message: ${path} has ${found}, expected ${wanted}`);
}
