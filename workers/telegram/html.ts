/** Markdown as Telegram's HTML. Only what Telegram knows, everything else escaped. https://core.telegram.org/bots/api#html-style */
import { type MarkdownRenderer, renderMarkdown } from "../../src/support/markdown.ts";
import { markerOf, plainText } from "../../src/support/plain-text.ts";

/** Addresses that Telegram makes links of; others would vanish from the text. */
const linkable = /^(?:https?|tg|mailto|tel|ton):/iu;

const htmlRenderer: MarkdownRenderer = {
  text: escapeText,
  bold: (content) => `<b>${content}</b>`,
  italic: (content) => `<i>${content}</i>`,
  strike: (content) => `<s>${content}</s>`,
  spoiler: (content) => `<tg-spoiler>${content}</tg-spoiler>`,
  code: (text) => `<code>${escapeText(text)}</code>`,
  codeBlock(text, language) {
    // Of a name with other characters Telegram makes nothing.
    if (!/^[\w+#.-]{1,40}$/u.test(language)) return `<pre>${escapeText(text)}</pre>`;
    return `<pre><code class="language-${escapeAttribute(language)}">${escapeText(text)}</code></pre>`;
  },
  link(content, url) {
    if (linkable.test(url)) return `<a href="${escapeAttribute(url)}">${content}</a>`;
    const address = escapeText(url);
    return content === address ? content : `${content} (${address})`;
  },
  heading: (content) => `<b>${content}</b>`,
  // Quotes within quotes are refused.
  quote: (content) => `<blockquote>${content.replaceAll(/<\/?blockquote>/gu, "")}</blockquote>`,
  listItem: (content, item) => `${"  ".repeat(item.depth)}${markerOf(item)} ${content}`,
  rule: () => "———",
};

/** `markdown` for a call with `parse_mode: "HTML"`. */
export function renderTelegramHtml(markdown: string): string {
  return renderMarkdown(markdown, htmlRenderer);
}

/** How long `html`, of {@link renderTelegramHtml}, is as Telegram counts: UTF-16 units once it is parsed. */
export function visibleLength(html: string): number {
  return html.replaceAll(/<[^>]*>/gu, "").replaceAll(/&(?:lt|gt|amp|quot);/gu, "x").length;
}

/** Without any marks, for where Telegram refuses them; the source itself where nothing else fits or is left. */
export function renderTelegramPlain(markdown: string, limit: number): string {
  const plain = plainText(markdown);
  return plain.trim() === "" || plain.length > limit ? markdown : plain;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;");
}
