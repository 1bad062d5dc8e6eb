/** Markdown without its marks, for where a platform shows text alone. */
import type { MarkdownListItem, MarkdownRenderer } from "./markdown.ts";
import { renderMarkdown } from "./markdown.ts";

/** What a bare address is written without. */
const scheme = /^(?:mailto:|https?:\/\/)/u;

/** Writes the words and nothing around them, but for what a list and a link would lose. */
export const plainTextRenderer: MarkdownRenderer = {
  text: asItIs,
  bold: asItIs,
  italic: asItIs,
  strike: asItIs,
  spoiler: asItIs,
  code: asItIs,
  codeBlock: asItIs,
  link: (content, url) => (content === url || content === url.replace(scheme, "") ? content : `${content} (${url})`),
  heading: asItIs,
  quote: (content) => content.replace(/^/gmu, "> "),
  // Lists within the item have their own indent already.
  listItem: (content, item) => `${"  ".repeat(item.depth)}${markerOf(item)} ${content}`,
  rule: () => "---",
};

/** `markdown` as a person would read it aloud. */
export function plainText(markdown: string): string {
  return renderMarkdown(markdown, plainTextRenderer);
}

/** What stands before a list's item where there are no lists: `•`, `3.`, `☑`. */
export function markerOf({ number, isChecked }: MarkdownListItem): string {
  if (isChecked !== null) return isChecked ? "☑" : "☐";
  return number === null ? "•" : `${number}.`;
}

function asItIs(content: string): string {
  return content;
}
