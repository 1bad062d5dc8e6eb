/** Cards, buttons, selects and polls as a mail's HTML, and as the text beside it for who reads no HTML. Pure. */
import type { Response } from "../../src/contract/response.ts";
import { responseText } from "../../src/support/response-text.ts";

type RichMessage = Extract<Response, { readonly kind: "rich_message" }>;
type Card = RichMessage["cards"][number];
type InteractiveElement = RichMessage["interactiveElements"][number];

/** Addresses that may stand behind a link or an image. */
const linkable = /^(?:https?:\/\/|mailto:)/iu;
const mostColor = 0xff_ff_ff;

/** The words of all of it. */
export function richText(message: RichMessage): string {
  return responseText(message) ?? message.text;
}

/** A mail cannot be pressed: what leads somewhere is a link, the rest is listed for whoever wants to answer with it. */
export function richHtml({ text, cards, interactiveElements, poll }: RichMessage): string {
  const parts = [
    paragraphs(text),
    ...cards.map(cardHtml),
    ...interactiveElements.map(elementHtml),
    poll === undefined ? "" : `<p><b>${escaped(poll.question)}</b></p>${listHtml(poll.answers.map(escaped), "ol")}`,
  ];
  return `<!doctype html><html><body>${parts.filter((part) => part !== "").join("\n")}</body></html>`;
}

function cardHtml(card: Card): string {
  const { title, description, url, color, fields, footer, thumbnail, image, author, timestamp } = card;
  const parts = [
    author === undefined ? "" : `<p>${link(escaped(author.name), author.url)}</p>`,
    title === undefined ? "" : `<h3>${link(escaped(title), url)}</h3>`,
    paragraphs(description ?? ""),
    ...[thumbnail?.url, image?.url].map(imageHtml),
    fields.length === 0
      ? ""
      : `<dl>${fields.map((field) => `<dt><b>${escaped(field.name)}</b></dt><dd>${lines(field.value)}</dd>`).join("")}</dl>`,
    smallHtml([footer?.text, timestamp]),
  ];
  const border = color === undefined ? "#cccccc" : `#${(color & mostColor).toString(16).padStart(6, "0")}`;
  return `<div style="border-left:4px solid ${border};padding-left:12px;margin:12px 0">${parts.join("")}</div>`;
}

function elementHtml(element: InteractiveElement): string {
  if (element.kind === "buttons")
    return listHtml(
      element.buttons.map((button) => link(escaped(button.label), button.url)),
      "ul",
    );
  const options = element.options.map(({ label, description }) =>
    description === undefined ? escaped(label) : `${escaped(label)}: ${escaped(description)}`,
  );
  return `${paragraphs(element.placeholder ?? "")}${listHtml(options, "ul")}`;
}

function imageHtml(url: string | undefined): string {
  return url !== undefined && linkable.test(url)
    ? `<p><img src="${escaped(url)}" alt="" style="max-width:100%"></p>`
    : "";
}

function smallHtml(texts: readonly (string | undefined)[]): string {
  const words = texts.filter((each) => each !== undefined && each !== "").map((each) => escaped(each ?? ""));
  return words.length === 0 ? "" : `<p><small>${words.join(" · ")}</small></p>`;
}

function link(content: string, url: string | undefined): string {
  return url !== undefined && linkable.test(url) ? `<a href="${escaped(url)}">${content}</a>` : content;
}

function listHtml(items: readonly string[], tag: "ul" | "ol"): string {
  return items.length === 0 ? "" : `<${tag}>${items.map((item) => `<li>${item}</li>`).join("")}</${tag}>`;
}

function paragraphs(text: string): string {
  return text
    .split("\n\n")
    .filter((part) => part.trim() !== "")
    .map((part) => `<p>${lines(part)}</p>`)
    .join("");
}

function lines(text: string): string {
  return escaped(text).replaceAll("\n", "<br>");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
