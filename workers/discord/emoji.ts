/** An emoji as people and handlers write it, for Discord. Pure. */
import { emojiOfName } from "../../src/support/emoji.ts";

/** A Unicode one has no id. */
export type DiscordEmoji = { readonly name: string; readonly id: string | null };

/** `👍`, `thumbsup`, `:+1:`, `<:party:123>`, `<a:wave:123>` or `party:123`; `null` for what is none of these. */
export function toEmoji(text: string): DiscordEmoji | null {
  const custom = /^<?a?:?(?<name>\w{1,32}):(?<id>\d{1,20})>?$/u.exec(text)?.groups;
  if (custom?.["name"] !== undefined && custom["id"] !== undefined) return { name: custom["name"], id: custom["id"] };
  const known = emojiOfName(text.replace(/^:|:$/gu, ""));
  if (known !== null) return { name: known, id: null };
  // A name that nobody knows is no emoji, and Discord would say no more than that.
  return /[\w\s]/u.test(text.replace(/[\d#*]\u{fe0f}?\u{20e3}/gu, "")) ? null : { name: text, id: null };
}

/** As it stands in a reaction's address. */
export function emojiInRoute({ name, id }: DiscordEmoji): string {
  return encodeURIComponent(id === null ? name : `${name}:${id}`);
}
