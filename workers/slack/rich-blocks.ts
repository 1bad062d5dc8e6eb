/** A rich message as Slack's blocks. Pure. What Slack would refuse is refused here, with the field's name. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { Response } from "../../src/contract/response.ts";
import { isFields, type Fields } from "./fields.ts";
import { toMrkdwn } from "./mrkdwn.ts";

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;
type Card = RichMessage["cards"][number];
type Element = RichMessage["interactiveElements"][number];
type Button = Extract<Element, { readonly kind: "buttons" }>["buttons"][number];
type Poll = NonNullable<RichMessage["poll"]>;

/** Slack's own, https://docs.slack.dev/reference/block-kit/blocks */
const limits = {
  blocks: 50,
  section: 3_000,
  header: 150,
  field: 2_000,
  fields: 10,
  buttons: 25,
  options: 100,
  label: 75,
  id: 255,
  url: 3_000,
  placeholder: 150,
  choices: 10,
};

/** What is shown below the text. @throws {GatewayError} `invalid_request` naming the field. */
export function richBlocks(message: RichMessage): readonly Fields[] {
  const blocks = [
    // Those of Slack's own form are passed on; what is no block at all says nothing.
    ...message.blocks.filter((block): block is Fields => isFields(block) && typeof block["type"] === "string"),
    ...message.cards.flatMap(cardBlocks),
    ...message.interactiveElements.map(elementBlock),
    ...(message.poll === undefined ? [] : pollBlocks(message.poll)),
  ];
  if (blocks.length > limits.blocks - 1)
    throw wrong("blocks", `${blocks.length} blocks`, `at most ${limits.blocks - 1} beside the text`);
  return blocks;
}

function cardBlocks(card: Card): readonly Fields[] {
  const { author, footer, thumbnail, image, timestamp } = card;
  const title = card.title === undefined ? "" : heading(card.title, card.url);
  const text = [title, card.description === undefined ? "" : toMrkdwn(card.description)].filter(isText).join("\n");
  const time = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  const small = [footer?.text ?? "", Number.isFinite(time) ? dateText(time, timestamp ?? "") : ""].filter(isText);
  const accessory =
    thumbnail === undefined ? {} : { accessory: { type: "image", image_url: thumbnail.url, alt_text: "thumbnail" } };
  const fieldRows = chunks(card.fields, limits.fields);
  return [
    ...(author === undefined
      ? []
      : [context(author.iconUrl, author.url === undefined ? toMrkdwn(author.name) : `<${author.url}|${author.name}>`)]),
    ...(text === "" && thumbnail === undefined
      ? []
      : [{ type: "section", text: mrkdwn(text || " ", limits.section), ...accessory }]),
    ...fieldRows.map((row) => ({
      type: "section",
      fields: row.map((field) => mrkdwn(`*${toMrkdwn(field.name)}*\n${toMrkdwn(field.value)}`, limits.field)),
    })),
    ...(image === undefined
      ? []
      : [{ type: "image", image_url: image.url, alt_text: cut(card.title ?? "image", 2_000) }]),
    ...(small.length === 0 ? [] : [context(footer?.iconUrl, small.join(" | "))]),
  ];
}

function heading(title: string, url: string | undefined): string {
  const text = toMrkdwn(title).replaceAll("*", "");
  return url === undefined ? `*${text}*` : `*<${url}|${text.replaceAll("|", "¦")}>*`;
}

function dateText(time: number, fallback: string): string {
  return `<!date^${Math.floor(time / 1000)}^{date_short_pretty} {time}|${fallback.replaceAll(/[<>|]/gu, "")}>`;
}

function context(iconUrl: string | undefined, text: string): Fields {
  const icon = iconUrl === undefined ? [] : [{ type: "image", image_url: iconUrl, alt_text: "icon" }];
  return { type: "context", elements: [...icon, mrkdwn(text, limits.section)] };
}

function elementBlock(element: Element, index: number): Fields {
  const place = `interactiveElements[${index}]`;
  if (element.kind === "buttons") {
    requireCount(`${place}.buttons`, element.buttons.length, limits.buttons);
    const elements = element.buttons.map((button, position) =>
      buttonOf(button, `${place}.buttons[${position}]`, position),
    );
    return { type: "actions", elements };
  }
  requireCount(`${place}.options`, element.options.length, limits.options);
  requireText(`${place}.customId`, element.customId, limits.id);
  return {
    type: "actions",
    elements: [
      {
        type: "static_select",
        action_id: element.customId,
        ...(element.placeholder === undefined ? {} : { placeholder: plain(element.placeholder, limits.placeholder) }),
        options: element.options.map((option, position) => {
          requireText(`${place}.options[${position}].value`, option.value, 150);
          requireText(`${place}.options[${position}].label`, option.label, Number.POSITIVE_INFINITY);
          const label = option.emoji === undefined ? option.label : `${option.emoji} ${option.label}`;
          const description =
            option.description === undefined ? {} : { description: plain(option.description, limits.label) };
          return { text: plain(label, limits.label), value: option.value, ...description };
        }),
      },
    ],
  };
}

function buttonOf(button: Button, place: string, position: number): Fields {
  requireText(`${place}.label`, button.label, Number.POSITIVE_INFINITY);
  if (button.style === "link" && button.url === undefined) throw wrong(`${place}.url`, "nothing", "the link's address");
  if (button.url !== undefined) requireText(`${place}.url`, button.url, limits.url);
  const id = button.customId ?? `button_${position}`;
  requireText(`${place}.customId`, id, limits.id);
  // Slack has two colours.
  const style = button.style === "success" ? "primary" : button.style;
  return {
    type: "button",
    text: plain(button.label, limits.label),
    action_id: id,
    value: id,
    ...(button.url === undefined ? {} : { url: button.url }),
    ...(style === "primary" || style === "danger" ? { style } : {}),
  };
}

/** Slack has no polls: a question with choices, each of which comes back as an interaction called `poll`. */
function pollBlocks(poll: Poll): readonly Fields[] {
  requireCount("poll.answers", poll.answers.length, limits.choices);
  requireText("poll.question", poll.question, Number.POSITIVE_INFINITY);
  const options = poll.answers.map((answer, index) => {
    requireText(`poll.answers[${index}]`, answer, Number.POSITIVE_INFINITY);
    return { text: plain(answer, limits.label), value: String(index) };
  });
  const type = poll.allowMultiselect ? "checkboxes" : "radio_buttons";
  return [
    { type: "section", text: mrkdwn(`*${toMrkdwn(poll.question)}*`, limits.section) },
    { type: "actions", elements: [{ type, action_id: "poll", options }] },
  ];
}

function mrkdwn(text: string, limit: number): Fields {
  return { type: "mrkdwn", text: cut(text, limit) };
}

function plain(text: string, limit: number): Fields {
  return { type: "plain_text", text: cut(text, limit), emoji: true };
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/u, "")}…`;
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, row) => items.slice(row * size, (row + 1) * size));
}

function isText(text: string): boolean {
  return text !== "";
}

function requireCount(place: string, count: number, most: number): void {
  if (count < 1 || count > most) throw wrong(place, `${count}`, `1 to ${most}`);
}

function requireText(place: string, text: string, most: number): void {
  if (text.trim() === "" || text.length > most)
    throw wrong(place, `${text.length} characters`, most === Number.POSITIVE_INFINITY ? "some text" : `1 to ${most}`);
}

function wrong(place: string, found: string, wanted: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot send the response: ${place} is ${found}, expected ${wanted}`);
}
