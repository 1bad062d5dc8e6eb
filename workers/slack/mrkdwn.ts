/** Markdown as Slack's own `mrkdwn`: for notifications, and for where Slack takes no Markdown. */
import { renderMarkdown, type MarkdownRenderer } from "../../src/support/markdown.ts";
import { markerOf } from "../../src/support/plain-text.ts";
import { splitText } from "../../src/support/split-text.ts";
import { escapeText } from "./message-text.ts";

/** Most characters in a Markdown block, and in all of them of one message. */
export const longestMarkdown = 12_000;
/** Slack cuts a text that is longer. */
const longestText = 39_000;

const mrkdwnRenderer: MarkdownRenderer = {
  text: escapeOutside,
  bold: (content) => `*${content}*`,
  italic: (content) => `_${content}_`,
  strike: (content) => `~${content}~`,
  spoiler: (content) => content,
  code: (text) => `\`${escapeText(text)}\``,
  codeBlock: (text) => `\`\`\`\n${escapeText(text)}\n\`\`\``,
  link: (content, url) =>
    content === url || content === escapeText(url) ? `<${escapeUrl(url)}>` : labelled(url, content),
  heading: (content) => `*${content.replaceAll("*", "")}*`,
  quote: (content) => content.replace(/^/gmu, "> "),
  listItem: (content, item) => `${"    ".repeat(item.depth)}${markerOf(item)} ${content}`,
  rule: () => "———",
};

/** `markdown` in Slack's own notation. */
export function toMrkdwn(markdown: string): string {
  const text = renderMarkdown(markdown, mrkdwnRenderer);
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

/** `markdown` in parts of which each fits one message. */
export function splitMarkdown(markdown: string): readonly string[] {
  return splitText(markdown, { limit: longestMarkdown });
}

/** Mentions that the author wrote on purpose, such as `<@U1>`, stay what they are. */
function escapeOutside(text: string): string {
  return text
    .split(/(<(?:[@#!][A-Za-z][A-Za-z0-9^|@_.-]*)>)/u)
    .map((part, index) => (index % 2 === 1 ? part : escapeText(part)))
    .join("");
}

function labelled(url: string, content: string): string {
  return `<${escapeUrl(url)}|${content.replaceAll("|", "¦").replaceAll("\n", " ")}>`;
}

function escapeUrl(url: string): string {
  return escapeText(url).replaceAll("|", "%7C");
}
