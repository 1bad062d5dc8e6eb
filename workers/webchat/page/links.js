/** Addresses in a text, found so that nothing but http and https ever becomes a link. */

const address = /\bhttps?:\/\/[^\s<>"'`]+/giu;

/**
 * `text` in pieces, in order: plain ones have `href` null.
 * @param {string} text
 * @returns {{ text: string, href: string | null }[]}
 */
export function splitLinks(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(address)) {
    const shown = withoutTrailing(match[0]);
    const href = checkedAddress(shown);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), href: null });
    pieces.push({ text: shown, href });
    end = match.index + shown.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), href: null });
  return pieces;
}

/** A sentence's full stop or a bracket around the address is not part of it. */
function withoutTrailing(text) {
  let shown = text;
  for (;;) {
    const last = shown.at(-1) ?? "";
    const isUnopened = last === ")" && !shown.includes("(");
    if (!".,;:!?]}*".includes(last) && !isUnopened) return shown;
    shown = shown.slice(0, -1);
  }
}

function checkedAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    // Only looked like one.
    return null;
  }
}
