/** What a response's text becomes in chat: plain, on one line, in parts of 500 characters, and never a command. Pure. */
import { plainText } from "../../src/support/plain-text.ts";
import { splitText } from "../../src/support/split-text.ts";

/** Most characters of one message; Twitch cuts off the rest. */
export const longestChatText = 500;
/** Shown by nobody, and kept by whoever trims: in front of it no slash is a command's. */
const guard = "\u200B";

/** The messages that say `markdown`, in order; none for what says nothing. */
export function chatParts(markdown: string): readonly string[] {
  return splitText(oneLine(plainText(markdown)), { limit: longestChatText, measure: lengthInChat }).map(harmless);
}

/** Chat has no line breaks. No other control character may get out either: some mean something to IRC. */
function oneLine(text: string): string {
  return text
    .replaceAll(/[ \t]*[\r\n\v\f\u0085\u2028\u2029]+\s*/gu, " ")
    .replaceAll(/\p{Cc}+/gu, "")
    .trim();
}

/** Twitch takes what begins so for a command. */
function isCommand(text: string): boolean {
  return /^\s*[/.]/u.test(text);
}

function harmless(text: string): string {
  return isCommand(text) ? `${guard}${text}` : text;
}

/** In code points, with what {@link harmless} adds. */
function lengthInChat(text: string): number {
  return Array.from(text).length + (isCommand(text) ? 1 : 0);
}
