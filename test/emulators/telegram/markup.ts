/** Telegram's HTML as its server reads it: few tags, all of them closed, everything else refused. */

/** The text without marks, and which marks there were. */
export type ParsedMarkup =
  | {
      readonly ok: true;
      readonly text: string;
      readonly entities: readonly { readonly type: string; readonly url?: string }[];
    }
  | { readonly ok: false; readonly description: string };

const known: ReadonlySet<string> = new Set(
  "b strong i em s strike del u ins a code pre blockquote tg-spoiler span tg-emoji".split(" "),
);
const characters: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };
const attribute = /^\s+([a-z-]+)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>=]+))/iu;

/** Reads `html`; the descriptions are the server's own. */
export function parseMarkup(html: string): ParsedMarkup {
  let text = "";
  const open: string[] = [];
  const entities: { type: string; url?: string }[] = [];
  for (let index = 0; index < html.length;) {
    const character = html.charAt(index);
    if (character === "&") {
      const match = /^&(?:#(\d+)|#x([\da-f]+)|(\w+));/iu.exec(html.slice(index));
      const decoded = match === null ? undefined : decode(match);
      text += decoded ?? "&";
      index += decoded === undefined ? 1 : (match?.[0].length ?? 1);
      continue;
    }
    if (character !== "<") {
      text += character;
      index += 1;
      continue;
    }
    const offset = Buffer.byteLength(html.slice(0, index));
    const tag = readTag(html.slice(index), offset);
    if (typeof tag === "string") return refuse(tag);
    index += tag.length;
    if (tag.isEnd) {
      const expected = open.pop();
      if (expected === undefined) return refuse(`Unexpected end tag at byte offset ${offset}`);
      if (expected !== tag.name)
        return refuse(`Unmatched end tag at byte offset ${offset}, expected "</${expected}>", found "</${tag.name}>"`);
    } else {
      open.push(tag.name);
      const href = tag.attributes.get("href");
      entities.push(href === undefined ? { type: tag.name } : { type: tag.name, url: href });
    }
  }
  const left = open.pop();
  if (left !== undefined) return refuse(`Can't find end tag corresponding to start tag "${left}"`);
  return { ok: true, text: text.trim(), entities };
}

type Tag = {
  readonly name: string;
  readonly isEnd: boolean;
  readonly length: number;
  readonly attributes: ReadonlyMap<string, string>;
};

function readTag(source: string, offset: number): Tag | string {
  const head = /^<(\/?)([a-z0-9-]*)/iu.exec(source);
  const name = (head?.[2] ?? "").toLowerCase();
  if (head?.[1] === "/") {
    const end = /^<\/[a-z0-9-]*\s*>/iu.exec(source);
    return end === null
      ? `Unclosed end tag at byte offset ${offset}`
      : { name, isEnd: true, length: end[0].length, attributes: new Map() };
  }
  if (!known.has(name)) return `Unsupported start tag "${name}" at byte offset ${offset}`;
  let length = head?.[0].length ?? 1;
  const attributes = new Map<string, string>();
  for (;;) {
    const match = attribute.exec(source.slice(length));
    if (match === null) break;
    attributes.set((match[1] ?? "").toLowerCase(), unescaped(match[2] ?? match[3] ?? match[4] ?? ""));
    length += match[0].length;
  }
  const close = /^\s*>/u.exec(source.slice(length));
  if (close === null) return `Unclosed start tag "${name}" at byte offset ${offset}`;
  return { name, isEnd: false, length: length + close[0].length, attributes };
}

function decode(match: RegExpExecArray): string | undefined {
  if (match[1] !== undefined) return String.fromCodePoint(Number(match[1]));
  if (match[2] !== undefined) return String.fromCodePoint(Number.parseInt(match[2], 16));
  return characters[match[3] ?? ""];
}

function unescaped(text: string): string {
  return text.replaceAll(/&(lt|gt|amp|quot);/gu, (whole, name: string) => characters[name] ?? whole);
}

function refuse(found: string): ParsedMarkup {
  return { ok: false, description: `Bad Request: can't parse entities: ${found}` };
}
