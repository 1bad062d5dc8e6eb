/** Markdown as people and models write it, turned into what a platform shows: one parser, one renderer per platform. */
import { Marked } from "marked";
import type { MarkedToken, Token, Tokens } from "marked";

/** One line of a list. */
export type MarkdownListItem = {
  /** 0 for a list that is in no other. */
  readonly depth: number;
  /** `null` in a list of bullets. */
  readonly number: number | null;
  /** `null` for what is no task. */
  readonly isChecked: boolean | null;
};

/** How a platform writes each kind of node. `content` is rendered already; `text` is raw and must be escaped. */
export type MarkdownRenderer = {
  readonly text: (text: string) => string;
  readonly bold: (content: string) => string;
  readonly italic: (content: string) => string;
  readonly strike: (content: string) => string;
  readonly spoiler: (content: string) => string;
  readonly code: (text: string) => string;
  /** `language` is `""` where none is named. A table comes as one, too. */
  readonly codeBlock: (text: string, language: string) => string;
  /** `url` is raw. Where the author wrote nothing but the address, `content` is that. Pictures come as links. */
  readonly link: (content: string, url: string) => string;
  /** `depth` 1 to 6. */
  readonly heading: (content: string, depth: number) => string;
  /** `content` may have several lines. */
  readonly quote: (content: string) => string;
  /** `content` may have several lines, lists within the item among them. */
  readonly listItem: (content: string, item: MarkdownListItem) => string;
  readonly rule: () => string;
};

/** The parser takes the square of a text's length in the worst case: half a second for this. */
const longestMarkdown = 16_384;
const spoilerPattern = /^\|\|(?=\S)([\s\S]*?\S)\|\|/u;

const marked = new Marked({
  extensions: [
    {
      name: "spoiler",
      level: "inline",
      start: (source) => source.indexOf("||"),
      tokenizer(source) {
        const match = spoilerPattern.exec(source);
        if (match === null) return undefined;
        return { type: "spoiler", raw: match[0], tokens: this.lexer.inlineTokens(match[1] ?? "") };
      },
    },
  ],
});

/**
 * `text` through `renderer`. Never throws: what cannot be parsed is written as plain text, and so is what is longer than
 * 16,384 characters, so split first. A link's title is dropped.
 */
export function renderMarkdown(text: string, renderer: MarkdownRenderer): string {
  if (text.length > longestMarkdown) return renderer.text(text);
  try {
    return new Rendering(renderer).blocks(marked.lexer(text), 0);
  } catch {
    // Brackets nested thousands deep exhaust the parser's stack; nobody means them as formatting.
    return renderer.text(text);
  }
}

type Spoiler = { readonly type: "spoiler"; readonly raw: string; readonly tokens: Token[] };
/** Marked's own union has an open member, which keeps a switch from telling the others apart. */
type Node = MarkedToken | Spoiler;

class Rendering {
  readonly #renderer: MarkdownRenderer;
  readonly #linked = new Set<string>();

  constructor(renderer: MarkdownRenderer) {
    this.#renderer = renderer;
  }

  /** Blocks, with an empty line between them where their author left one. `depth`: of the lists they are in. */
  blocks(tokens: readonly Token[], depth: number): string {
    let output = "";
    let lineBreaks = 0;
    for (const node of tokens as readonly Node[]) {
      const content = this.#node(node, depth);
      if (content !== "") {
        output += output === "" ? content : "\n".repeat(Math.min(2, Math.max(1, lineBreaks))) + content;
        lineBreaks = 0;
      }
      lineBreaks += trailingLineBreaks(node.raw);
    }
    return output;
  }

  #node(node: Node, depth: number): string {
    const renderer = this.#renderer;
    switch (node.type) {
      case "paragraph":
        return this.#inline(node.tokens);
      case "text":
        return node.tokens === undefined ? renderer.text(node.text) : this.#inline(node.tokens);
      case "strong":
        return renderer.bold(this.#inline(node.tokens));
      case "em":
        return renderer.italic(this.#inline(node.tokens));
      case "del":
        return renderer.strike(this.#inline(node.tokens));
      case "spoiler":
        return renderer.spoiler(this.#inline(node.tokens));
      case "codespan":
        return renderer.code(node.text);
      case "link":
      case "image":
        return this.#link(node);
      case "br":
        return "\n";
      case "escape":
        return renderer.text(node.text);
      case "html":
        return renderer.text(node.block ? node.text.trimEnd() : node.text);
      case "heading":
        return renderer.heading(this.#inline(node.tokens), node.depth);
      case "code":
        return this.#codeBlock(node);
      case "blockquote":
        return renderer.quote(this.blocks(node.tokens, depth));
      case "list":
        return this.#list(node, depth);
      case "list_item":
        return this.blocks(node.tokens, depth);
      case "table":
        return renderer.codeBlock(tableText(node), "");
      case "hr":
        return renderer.rule();
      case "def":
        // One that a link has used says nothing more.
        return this.#linked.has(node.href) ? "" : renderer.text(node.raw.trimEnd());
      case "checkbox":
      case "space":
        return "";
    }
  }

  #inline(tokens: readonly Token[]): string {
    return (tokens as readonly Node[]).map((node) => this.#node(node, 0)).join("");
  }

  #list(list: Tokens.List, depth: number): string {
    const first = list.ordered ? Number(list.start) : null;
    return list.items
      .map((item, index) =>
        this.#renderer.listItem(this.blocks(item.tokens, depth + 1), {
          depth,
          number: first === null ? null : first + index,
          isChecked: item.task ? item.checked === true : null,
        }),
      )
      .join("\n");
  }

  #codeBlock({ text, lang = "" }: Tokens.Code): string {
    // Several words are no language but code that began on the fence's line.
    return /\s/u.test(lang) ? this.#renderer.codeBlock(`${lang}\n${text}`, "") : this.#renderer.codeBlock(text, lang);
  }

  #link({ href, tokens }: Tokens.Link | Tokens.Image): string {
    this.#linked.add(href);
    const content = this.#inline(tokens);
    return this.#renderer.link(content === "" ? this.#renderer.text(href) : content, href);
  }
}

function trailingLineBreaks(raw: string): number {
  let count = 0;
  while (raw.charAt(raw.length - 1 - count) === "\n") count += 1;
  return count;
}

/** Columns under each other, which only a fixed pitch shows. */
function tableText(table: Tokens.Table): string {
  if (hasLostCells(table)) return table.raw.trimEnd();
  const rows = [table.header, ...table.rows].map((row) => row.map((cell) => wordsOf(cell.tokens)));
  const widths = table.header.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd();
  const [header = [], ...body] = rows;
  return [line(header), widths.map((width) => "-".repeat(width)).join("-|-"), ...body.map(line)].join("\n");
}

/** The parser drops cells of a row that has more of them than the header. */
function hasLostCells(table: Tokens.Table): boolean {
  const written = table.raw.split("\n").toSpliced(1, 1).join("");
  const cells = [table.header, ...table.rows].flat().map((cell) => cell.text);
  const lengthOf = (text: string): number => text.replaceAll(/[\s|\\]/gu, "").length;
  return lengthOf(cells.join("")) < lengthOf(written);
}

/** Without formatting, which a block of code would show as it is written. */
function wordsOf(tokens: readonly Token[]): string {
  return (tokens as readonly Node[])
    .map((node) => {
      if (node.type === "link" || node.type === "image") return node.raw;
      if ("tokens" in node && node.tokens !== undefined) return wordsOf(node.tokens);
      return "text" in node ? node.text : node.raw;
    })
    .join("");
}
