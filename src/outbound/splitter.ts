/** Cuts a long text into parts that a platform takes, in the unit the platform counts in. */

/** How a platform counts: UTF-16 code units, or code points. Never bytes: a byte limit cuts characters in half. */
export type TextUnit = "utf16" | "code_points";

/** What one part may be. */
export type SplitOptions = {
  /** Most units in one part, at least 2. */
  readonly limit: number;
  readonly unit: TextUnit;
};

type Fence = { readonly marker: string; readonly opening: string };
type Part = { readonly text: string; readonly rest: string; readonly fence: Fence | null };
type Cut = { readonly end: number; readonly next: number };

const longestGrapheme = 64;
/** Longer markers are left alone: nobody writes them, and closing them costs room in every part. */
const longestMarker = 6;
const closingUnits = 1 + longestMarker;
const closingLine = /^ {0,3}`{3,}[ \t]*(?:\n|$)/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * `text` in parts of at most `limit` units, cut at a line's end where there is one, else at a space, else between two
 * characters. The line break or space at a cut is dropped; parts of white space only are left out. A code fence that a
 * cut falls into is closed and opened again with its language.
 */
export function splitText(text: string, options: SplitOptions): readonly string[] {
  if (!Number.isInteger(options.limit) || options.limit < 2)
    throw new RangeError(`Cannot split text: limit is ${options.limit}, expected an integer of at least 2`);
  const parts: string[] = [];
  let rest = text;
  let fence: Fence | null = null;
  while (rest !== "") {
    const prefix: string = fence === null ? "" : `${fence.opening}\n`;
    const part = takePart(rest, prefix, fence, options);
    if (part.text.trim() !== "" && part.text !== prefix) parts.push(part.text);
    rest = part.rest;
    fence = part.fence;
  }
  return parts;
}

function takePart(rest: string, prefix: string, fence: Fence | null, options: SplitOptions): Part {
  const room = options.limit - measure(prefix, options.unit);
  const whole = indexAfter(rest, room, options.unit);
  if (whole === rest.length) return { text: prefix + rest, rest: "", fence: null };
  const cut = findCut(rest, whole);
  if (fenceAfter(rest.slice(0, cut.end), fence, options.limit) === null)
    return { text: prefix + rest.slice(0, cut.end), rest: rest.slice(cut.next), fence: null };
  const shorter = findCut(rest, indexAfter(rest, room - closingUnits, options.unit));
  return cutFence(rest, shorter, { prefix, fence, limit: options.limit });
}

/** A cut that may fall into a fence: closed here, opened again in the next part. */
function cutFence(
  rest: string,
  cut: Cut,
  at: { readonly prefix: string; readonly fence: Fence | null; readonly limit: number },
): Part {
  const text = rest.slice(0, cut.end);
  const open = fenceAfter(text, at.fence, at.limit);
  const left = rest.slice(cut.next);
  if (open === null) return { text: at.prefix + text, rest: left, fence: null };
  const lastLine = text.lastIndexOf("\n");
  // A fence that would be opened only to be closed belongs to the next part.
  if (lastLine > 0 && fenceAfter(text.slice(0, lastLine), at.fence, at.limit) === null)
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
function fenceAfter(text: string, before: Fence | null, limit: number): Fence | null {
  let fence = before;
  for (const line of text.split("\n")) {
    const match = /^ {0,3}(?<marker>`{3,})(?<info>[^`]*)$/u.exec(line);
    const marker = match?.groups?.["marker"];
    if (marker === undefined) continue;
    const info = (match?.groups?.["info"] ?? "").trim();
    if (fence === null) fence = newFence(marker, info, limit);
    else if (info === "" && marker.length >= fence.marker.length) fence = null;
  }
  return fence;
}

/** A language too long for the limit is left out; `null` where repairs would leave nothing but fences. */
function newFence(marker: string, info: string, limit: number): Fence | null {
  if (marker.length > longestMarker || (marker.length * 2 + 2) * 2 > limit) return null;
  const opening = (marker.length * 2 + 2 + info.length) * 2 <= limit ? marker + info : marker;
  return { marker, opening };
}

function measure(text: string, unit: TextUnit): number {
  if (unit === "utf16") return text.length;
  let count = 0;
  for (let index = 0; index < text.length; index += isInsidePair(text, index + 1) ? 2 : 1) count += 1;
  return count;
}

/** The index after at most `count` units of `text`; never more than its length. */
function indexAfter(text: string, count: number, unit: TextUnit): number {
  if (unit === "utf16") return Math.min(count, text.length);
  let index = 0;
  for (let taken = 0; taken < count && index < text.length; taken += 1) index += isInsidePair(text, index + 1) ? 2 : 1;
  return index;
}
