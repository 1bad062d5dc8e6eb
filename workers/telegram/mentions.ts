/** Whether a message is meant for the bot, and which command it gives. Pure; by Telegram's own marks, not by searching the text. */
import type { Message, MessageEntity } from "grammy/types";

/** The bot as getMe describes it. */
export type BotAccount = { readonly id: number; readonly username: string };

/** A command as it was given. `name` is as it was declared. */
export type GivenCommand = { readonly name: string; readonly args: string };

/** Mentioned by name, by a link to its account, by a command with its name, or replied to. */
export function isForBot(message: Message, bot: BotAccount): boolean {
  return isReplyTo(message, bot) || entitiesOf(message).some((entity) => names(message, entity, bot));
}

/**
 * The declared command that `message` begins with, `/name` or `/name@bot`. `declared`: by the name that Telegram's menu
 * has, the name of the declaration. `null`: none, or one of another bot.
 */
export function commandOf(
  message: Message,
  bot: BotAccount,
  declared: ReadonlyMap<string, string>,
): GivenCommand | null {
  const first = entitiesOf(message)[0];
  if (first?.type !== "bot_command" || first.offset !== 0) return null;
  const text = textOf(message);
  const [given = "", addressee] = text.slice(1, first.length).split("@", 2);
  if (addressee !== undefined && !isSameName(addressee, bot.username)) return null;
  const name = declared.get(given.toLowerCase());
  return name === undefined ? null : { name, args: text.slice(first.length).trim() };
}

/** In a topic every message hangs on the topic's first one, whoever opened it: that is no answer. */
function isReplyTo({ reply_to_message: target }: Message, bot: BotAccount): boolean {
  return target?.from?.id === bot.id && target.forum_topic_created === undefined;
}

function names(message: Message, entity: MessageEntity, bot: BotAccount): boolean {
  if (entity.type === "text_mention") return entity.user.id === bot.id;
  if (entity.type !== "mention" && entity.type !== "bot_command") return false;
  // Offsets count UTF-16 units, as strings here do.
  const text = textOf(message).slice(entity.offset, entity.offset + entity.length);
  const at = text.indexOf("@");
  return at !== -1 && isSameName(text.slice(at + 1), bot.username);
}

function entitiesOf(message: Message): readonly MessageEntity[] {
  const entities = message.entities ?? message.caption_entities;
  return Array.isArray(entities) ? entities : [];
}

function textOf(message: Message): string {
  return message.text ?? message.caption ?? "";
}

function isSameName(left: string, right: string): boolean {
  return right !== "" && left.toLowerCase() === right.toLowerCase();
}
