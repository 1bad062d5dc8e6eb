/** Where each key of a TOML document stands. Reads only documents that have already been parsed, so it trusts their syntax. */
import { joinPath } from "./issue.ts";

/** The 1-based line of the key at `path`, else of the nearest table around it, else `null`. */
export type LineLookup = (path: string) => number | null;

/** Indexes the headers and keys of `text`; keys inside inline tables and arrays have the line of the key that holds them. */
export function indexLines(text: string): LineLookup {
  const lines = new Map<string, number>();
  const scanner = new TomlScanner(text);
  const counts = new Map<string, number>();
  let table = "";
  while (scanner.skipToStatement()) {
    const { line } = scanner;
    if (scanner.peek("[")) {
      const isArray = scanner.peek("[[");
      scanner.skip(isArray ? 2 : 1);
      const keys = scanner.readKeys();
      scanner.skipLine();
      table = headerPath(keys, isArray, counts);
      note(lines, table, line);
    } else {
      const keys = scanner.readKeys();
      let path = table;
      for (const key of keys) {
        path = joinPath(path, key);
        note(lines, path, line);
      }
      scanner.skip(1);
      scanner.skipValue();
    }
  }
  return (path) => {
    for (let current = path; current !== ""; current = parentOf(current)) {
      const line = lines.get(current);
      if (line !== undefined) return line;
    }
    return null;
  };
}

function note(lines: Map<string, number>, path: string, line: number): void {
  if (!lines.has(path)) lines.set(path, line);
}

/** `[a.b]` below `[[a]]` belongs to the last `a`. */
function headerPath(keys: readonly string[], isArray: boolean, counts: Map<string, number>): string {
  let path = "";
  for (const [index, key] of keys.entries()) {
    path = joinPath(path, key);
    const isLast = index === keys.length - 1;
    if (isLast && isArray) counts.set(path, (counts.get(path) ?? 0) + 1);
    const count = counts.get(path);
    if (count !== undefined) path = joinPath(path, count - 1);
  }
  return path;
}

function parentOf(path: string): string {
  const cut = Math.max(path.lastIndexOf("."), path.lastIndexOf("["));
  return cut < 0 ? "" : path.slice(0, cut);
}

class TomlScanner {
  readonly #text: string;
  #position = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  peek(start: string): boolean {
    return this.#text.startsWith(start, this.#position);
  }

  skip(count: number): void {
    for (let step = 0; step < count && this.#position < this.#text.length; step += 1) {
      if (this.#text[this.#position] === "\n") this.line += 1;
      this.#position += 1;
    }
  }

  /** To the next header or key; `false` at the end. */
  skipToStatement(): boolean {
    for (;;) {
      const character = this.#text[this.#position];
      if (character === undefined) return false;
      if (character === "#") this.skipLine();
      else if (/\s/u.test(character)) this.skip(1);
      else return true;
    }
  }

  skipLine(): void {
    const end = this.#text.indexOf("\n", this.#position);
    this.skip((end < 0 ? this.#text.length : end) - this.#position);
  }

  /** A dotted key up to `=` or `]`. */
  readKeys(): readonly string[] {
    const keys: string[] = [];
    for (;;) {
      const character = this.#text[this.#position];
      if (character === undefined || character === "=" || character === "]" || character === "\n") return keys;
      if (character === '"' || character === "'") keys.push(unquote(this.#readString()));
      else if (character === "." || /\s/u.test(character)) this.skip(1);
      else {
        const start = this.#position;
        while (/[^\s.=\]"']/u.test(this.#text[this.#position] ?? " ")) this.#position += 1;
        keys.push(this.#text.slice(start, this.#position));
      }
    }
  }

  /** A value with all its lines. */
  skipValue(): void {
    let depth = 0;
    for (;;) {
      const character = this.#text[this.#position];
      if (character === undefined || (character === "\n" && depth === 0)) return;
      if (character === '"' || character === "'") this.#readString();
      else if (character === "#") this.skipLine();
      else {
        if (character === "[" || character === "{") depth += 1;
        if (character === "]" || character === "}") depth -= 1;
        this.skip(1);
      }
    }
  }

  #readString(): string {
    const start = this.#position;
    const quote = this.#text[start] ?? "";
    const fence = this.peek(quote.repeat(3)) ? quote.repeat(3) : quote;
    this.skip(fence.length);
    while (this.#position < this.#text.length && !this.peek(fence)) {
      this.skip(quote === '"' && this.peek("\\") ? 2 : 1);
    }
    this.skip(fence.length);
    // A multi-line string may end in quotes of its own just before the fence.
    while (fence.length === 3 && this.peek(quote)) this.skip(1);
    return this.#text.slice(start, this.#position);
  }
}

function unquote(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    // An escape that JSON does not know: only the line of this one key is lost.
    return text.slice(1, -1);
  }
}
