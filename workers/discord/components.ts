/** Buttons, selects and polls as Discord's. {@link https://discord.com/developers/docs/components/reference} Pure. */
import { ButtonStyle, ComponentType } from "discord.js";
import type { Response } from "../../src/contract/response.ts";
import { checkCount, checkText, checkUrl, wrong } from "./check-part.ts";
import { toEmoji } from "./emoji.ts";

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;
type Element = RichMessage["interactiveElements"][number];
type Button = Extract<Element, { readonly kind: "buttons" }>["buttons"][number];
type Select = Extract<Element, { readonly kind: "select" }>;
type Fields = Readonly<Record<string, unknown>>;

const mostRows = 5;
const mostButtons = 5;
const mostOptions = 25;
const mostAnswers = 10;
const longestPollHours = 768;

const styles: Readonly<Record<Button["style"], ButtonStyle>> = {
  primary: ButtonStyle.Primary,
  secondary: ButtonStyle.Secondary,
  success: ButtonStyle.Success,
  danger: ButtonStyle.Danger,
  link: ButtonStyle.Link,
};

/** One row per element. @throws {GatewayError} `invalid_request` naming the field that Discord would refuse. */
export function toRows(elements: readonly Element[]): readonly Fields[] {
  const customIds = new Set<string>();
  const rows = checkCount(elements, "interactiveElements", { least: 0, most: mostRows });
  return rows.map((element, index) => {
    const at = `interactiveElements[${index}]`;
    const components =
      element.kind === "select"
        ? [toSelect(element, at)]
        : checkCount(element.buttons, `${at}.buttons`, { least: 1, most: mostButtons }).map((button, number) =>
            toButton(button, `${at}.buttons[${number}]`, `button-${index}-${number}`),
          );
    for (const component of components) assertNew(component["custom_id"], customIds, at);
    return { type: ComponentType.ActionRow, components };
  });
}

/** @throws {GatewayError} `invalid_request` naming the field that Discord would refuse. */
export function toPoll(poll: NonNullable<RichMessage["poll"]>): Fields {
  const answers = checkCount(poll.answers, "poll.answers", { least: 2, most: mostAnswers });
  if (poll.durationHours > longestPollHours)
    throw wrong("poll.durationHours", `is ${poll.durationHours}`, `1 to ${longestPollHours}`);
  return {
    question: { text: checkText(poll.question, "poll.question", { least: 1, most: 300 }) },
    answers: answers.map((answer, index) => ({
      poll_media: { text: checkText(answer, `poll.answers[${index}]`, { least: 1, most: 55 }) },
    })),
    duration: poll.durationHours,
    allow_multiselect: poll.allowMultiselect,
  };
}

function toButton(button: Button, at: string, defaultId: string): Fields {
  const label = checkText(button.label, `${at}.label`, { least: 1, most: 80 });
  if (button.style === "link") {
    if (button.url === undefined) throw wrong(`${at}.url`, "is missing", "where the button leads to");
    return { type: ComponentType.Button, style: styles.link, label, url: checkUrl(button.url, `${at}.url`) };
  }
  const customId = checkText(button.customId ?? defaultId, `${at}.customId`, { least: 1, most: 100 });
  return { type: ComponentType.Button, style: styles[button.style], label, custom_id: customId };
}

function toSelect(select: Select, at: string): Fields {
  const options = checkCount(select.options, `${at}.options`, { least: 1, most: mostOptions });
  const values = new Set<string>();
  return {
    type: ComponentType.StringSelect,
    custom_id: checkText(select.customId, `${at}.customId`, { least: 1, most: 100 }),
    ...(select.placeholder === undefined
      ? {}
      : { placeholder: checkText(select.placeholder, `${at}.placeholder`, { least: 0, most: 150 }) }),
    options: options.map((option, index) => {
      const here = `${at}.options[${index}]`;
      assertNew(option.value, values, `${here}.value`);
      return {
        label: checkText(option.label, `${here}.label`, { least: 1, most: 100 }),
        value: checkText(option.value, `${here}.value`, { least: 1, most: 100 }),
        ...(option.description === undefined
          ? {}
          : { description: checkText(option.description, `${here}.description`, { least: 0, most: 100 }) }),
        ...(option.emoji === undefined ? {} : { emoji: optionEmoji(option.emoji, `${here}.emoji`) }),
      };
    }),
  };
}

function optionEmoji(text: string, field: string): Fields {
  const emoji = toEmoji(text);
  if (emoji === null) throw wrong(field, "is no emoji", "one, its name, or <:name:id>");
  return { name: emoji.name, ...(emoji.id === null ? {} : { id: emoji.id }) };
}

function assertNew(value: unknown, known: Set<string>, field: string): void {
  if (typeof value !== "string") return;
  if (known.has(value)) throw wrong(field, `repeats ${JSON.stringify(value.slice(0, 100))}`, "each only once");
  known.add(value);
}
