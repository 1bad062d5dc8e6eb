/** Cuts a long text into parts that a platform takes, in the unit the platform counts in. */

/** How a platform counts: UTF-16 code units, code points, or bytes of UTF-8. */
export type TextUnit = "utf16" | "code_points" | "utf8";

/** The length of a text as a platform counts it. Never shorter for a longer text; whole characters are given to it. */
export type TextMeasure = (text: string) => number;

/** What one part may be. */
export type SplitOptions = {
  /** Most units in one part, at least 2; at least 4 of `utf8`, which the longest code point takes. */
  readonly limit: number;
  /** @default "utf16" */
  readonly unit?: TextUnit;
  /** Instead of a unit, for what a text becomes on its way, such as escapes. */
  readonly measure?: TextMeasure;
};

/** The limit, and how it is counted. */
type Room = { readonly limit: number; readonly measure: TextMeasure };
type Fence = { readonly marker: string; readonly opening: string };
type Part = { readonly text: string; readonly rest: string; readonly fence: Fence | null };
type Cut = { readonly end: number; readonly next: number };

const longestGrapheme = 64;
/** Longer markers are left alone: nobody writes them, and closing them costs room in every part. */
const longestMarker = 6;
const longestClosing = `\n${"`".repeat(longestMarker)}`;
const closingLine = /^ {0,3}`{3,}[ \t]*(?:\n|$)/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * `text` in parts of at most `limit` units, cut at a line's end where there is one, else at a space, else between two
 * characters. The line break or space at a cut is dropped; parts of white space only are left out. A code fence that a
 * cut falls into is closed and opened again with its language. A code point that is over the limit all by itself, which
 * takes a `measure` of one's own, gets a part of its own.
 * @throws {RangeError} when no character fits the limit.
 */
export function splitText(text: string, options: SplitOptions): readonly string[] {
  const room = { limit: options.limit, measure: options.measure ?? measures[options.unit ?? "utf16"] };
  const least = room.measure === utf8Bytes ? 4 : 2;
  if (!Number.isInteger(room.limit) || room.limit < least)
    throw new RangeError(`Cannot split text: limit is ${room.limit}, expected an integer of at least ${least}`);
  const parts: string[] = [];
  let rest = text;
  let fence: Fence | null = null;
  while (rest !== "") {
    const part: Part = takePart(rest, fence, room);
    if (part.text.trim() !== "" && part.text !== prefixOf(fence)) parts.push(part.text);
    rest = part.rest;
    fence = part.fence;
  }
  return parts;
}

function takePart(rest: string, fence: Fence | null, room: Room): Part {
  const prefix = prefixOf(fence);
  const left = room.limit - room.measure(prefix);
  const whole = indexAfter(rest, left, room.measure);
  if (whole === rest.length) return { text: prefix + rest, rest: "", fence: null };
  const closable = indexAfter(rest, left - room.measure(longestClosing), room.measure);
  // What the next character needs is more than repairs leave: the text goes before its looks.
  if (fence !== null && closable === 0) return takePart(rest, null, room);
  const cut = findCut(rest, Math.max(whole, firstCharacter(rest)));
  const isOpen = fenceAfter(rest.slice(0, cut.end), fence, room) !== null;
  if (!isOpen || closable === 0)
    return { text: prefix + rest.slice(0, cut.end), rest: rest.slice(cut.next), fence: null };
  return cutFence(rest, findCut(rest, closable), { prefix, fence, room });
}

/** What a part begins with when a fence was closed before it. */
function prefixOf(fence: Fence | null): string {
  return fence === null ? "" : `${fence.opening}\n`;
}

/** A cut that may fall into a fence: closed here, opened again in the next part. */
function cutFence(
  rest: string,
  cut: Cut,
  at: { readonly prefix: string; readonly fence: Fence | null; readonly room: Room },
): Part {
  const text = rest.slice(0, cut.end);
  const open = fenceAfter(text, at.fence, at.room);
  const left = rest.slice(cut.next);
  if (open === null) return { text: at.prefix + text, rest: left, fence: null };
  const lastLine = text.lastIndexOf("\n");
  // A fence that would be opened only to be closed belongs to the next part.
  if (lastLine > 0 && fenceAfter(text.slice(0, lastLine), at.fence, at.room) === null)
    return { text: at.prefix + text.slice(0, lastLine), rest: rest.slice(lastLine + 1), fence: null };
  const closed = `${at.prefix}${text}\n${open.marker}`;
  const end = closingLine.exec(left)?.[0] ?? "";
  // What would be reopened only to be closed is closed for good.
  if (end.trim().length >= open.marker.length) return { text: closed, rest: left.slice(end.length), fence: null };
  return { text: closed, rest: left, fence: open };
}

/** Where to cut so that at most `limitIndex` code units stay: before `end`, going on at `next`. Always takes something. */
function findCut(text: string, limitIndex: number): Cut {
  // A separator right after the last character that fits is a good place too.
  const newline = text.lastIndexOf("\n", limitIndex);
  if (newline > 0) return { end: newline, next: newline + 1 };
  const space = text.lastIndexOf(" ", limitIndex);
  if (space > 0) return { end: space, next: space + 1 };
  const end = characterStart(text, limitIndex);
  return { end, next: end };
}

/** The start of the character at `index`; within a character longer than a part, the start of a code point. */
function characterStart(text: string, index: number): number {
  const from = Math.max(0, index - longestGrapheme);
  const start =
    from + (segmenter.segment(text.slice(from, index + longestGrapheme)).containing(index - from)?.index ?? 0);
  if (start > from) return start;
  return isInsidePair(text, index) ? index - 1 : index;
}

function isInsidePair(text: string, index: number): boolean {
  const before = text.charCodeAt(index - 1);
  const at = text.charCodeAt(index);
  return before >= 0xd800 && before <= 0xdbff && at >= 0xdc00 && at <= 0xdfff;
}

/** The fence that is open at the end of `text`, when `before` was open at its start. */
function fenceAfter(text: string, before: Fence | null, room: Room): Fence | null {
  let fence = before;
  for (const line of text.split("\n")) {
    const match = /^ {0,3}(?<marker>`{3,})(?<info>[^`]*)$/u.exec(line);
    const marker = match?.groups?.["marker"];
    if (marker === undefined) continue;
    const info = (match?.groups?.["info"] ?? "").trim();
    if (fence === null) fence = newFence(marker, info, room);
    else if (info === "" && marker.length >= fence.marker.length) fence = null;
  }
  return fence;
}

/** A language too long for the limit is left out; `null` where repairs would leave nothing but fences. */
function newFence(marker: string, info: string, { limit, measure }: Room): Fence | null {
  const fits = (opening: string): boolean => measure(`${opening}\n\n${marker}`) * 2 <= limit;
  if (marker.length > longestMarker || !fits(marker)) return null;
  return { marker, opening: fits(marker + info) ? marker + info : marker };
}

const measures: Readonly<Record<TextUnit, TextMeasure>> = {
  utf16: utf16Units,
  code_points: codePoints,
  utf8: utf8Bytes,
};

function utf16Units(text: string): number {
  return text.length;
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}

function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += isInsidePair(text, index + 1) ? 2 : 1) count += 1;
  return count;
}

/** The length of the first code point. */
function firstCharacter(text: string): number {
  return isInsidePair(text, 1) ? 2 : 1;
}

/** The index after as many whole code points of `text` as come to at most `count`. */
function indexAfter(text: string, count: number, measure: TextMeasure): number {
  const fits = (index: number): boolean => measure(text.slice(0, wholeBefore(text, index))) <= count;
  let most = 0;
  let tooMany = 1;
  // Doubled first: parts are short and texts may be long.
  while (tooMany <= text.length && fits(tooMany)) {
    most = tooMany;
    tooMany *= 2;
  }
  tooMany = Math.min(tooMany, text.length + 1);
  while (tooMany - most > 1) {
    const middle = (most + tooMany) >> 1;
    if (fits(middle)) most = middle;
    else tooMany = middle;
  }
  return wholeBefore(text, most);
}

function wholeBefore(text: string, index: number): number {
  return isInsidePair(text, index) ? index - 1 : index;
}
