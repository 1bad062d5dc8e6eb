/** The emoji that Telegram allows as a reaction, and no others. https://core.telegram.org/bots/api#reactiontypeemoji */
import type { ReactionTypeEmoji } from "grammy/types";
import { GatewayError } from "../../src/contract/errors.ts";
import { emojiOfName } from "../../src/support/emoji.ts";

/** One of them. */
export type ReactionEmoji = ReactionTypeEmoji["emoji"];

// prettier-ignore
const allowed: readonly ReactionEmoji[] = [
  "👍", "👎", "❤", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩", "🙏", "👌", "🕊", "🤡",
  "🥱", "🥴", "😍", "🐳", "❤‍🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔", "🤨", "😐", "🍓", "🍾", "💋", "🖕", "😈",
  "😴", "😭", "🤓", "👻", "👨‍💻", "👀", "🎃", "🙈", "😇", "😨", "🤝", "✍", "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿",
  "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾", "🤷‍♂", "🤷", "🤷‍♀", "😡",
];

const byPlainForm: ReadonlyMap<string, ReactionEmoji> = new Map(allowed.map((emoji) => [plainForm(emoji), emoji]));

/**
 * The reaction for an emoji or its name, with or without colons.
 * @throws {GatewayError} `message_rejected` naming what Telegram does not allow.
 */
export function reactionOf(emoji: string): ReactionEmoji {
  const found = byPlainForm.get(plainForm(emoji)) ?? byPlainForm.get(plainForm(emojiOfName(emoji) ?? ""));
  if (found !== undefined) return found;
  throw new GatewayError(
    "message_rejected",
    `Cannot react: emoji is ${JSON.stringify(emoji)}, expected one that Telegram allows, such as ${allowed.slice(0, 8).join(" ")}`,
  );
}

/** Telegram leaves out the selector of the coloured form, and knows no skin tones here. */
function plainForm(emoji: string): string {
  return emoji.replaceAll(/\uFE0F|[\u{1F3FB}-\u{1F3FF}]/gu, "");
}
