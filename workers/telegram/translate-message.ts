/** One Telegram message as the gateway's: who, where, what, and everything a handler may want to know of it. Pure. */
import type { Chat, Message } from "grammy/types";
import type { EmittedMessage, ReplyTo, Routing } from "../../src/contract/message.ts";
import type { AdmissionPlace } from "../../src/support/admission.ts";
import { conversationOf } from "./address.ts";
import { contentOf } from "./content.ts";
import { type BotAccount, commandOf, isForBot } from "./mentions.ts";
import type { TopicMemory } from "./topic-memory.ts";

/** What translation needs to know of the bot. */
export type Translator = {
  readonly bot: BotAccount;
  /** By the name that Telegram's menu has, the declared one. */
  readonly commands: ReadonlyMap<string, string>;
  /** Where a message stands that only its number is known of. */
  readonly topics: TopicMemory;
};

/** A message, and what decides whether it is heard. */
export type Heard = {
  readonly message: EmittedMessage;
  readonly place: AdmissionPlace;
  /** Of the album it is a part of. */
  readonly albumId: string | null;
};

/** Who did something. */
export type Actor = { readonly id: string; readonly name: string; readonly isBot: boolean; readonly username: string };

const longestQuote = 200;

/** A new message or post; `null` for what says nothing, such as "Ann joined". */
export function translateMessage(message: Message, translator: Translator): Heard | null {
  const content = contentOf(message);
  if (content === null) return null;
  const { bot } = translator;
  const command = commandOf(message, bot, translator.commands);
  const kind = command === null ? (content.attachments.length > 0 ? "media" : "text") : "command";
  const heard = frameOf(message, translator);
  const commandMetadata = command === null ? {} : { command_name: command.name, command_args: command.args };
  return {
    place: heard.place,
    albumId: typeof message.media_group_id === "string" ? message.media_group_id : null,
    message: {
      ...heard.message,
      kind,
      text: command === null ? content.text : `/${command.name}${command.args === "" ? "" : ` ${command.args}`}`,
      attachments: content.attachments,
      // Ids begin anew with each bot, also under the same runtime key.
      revision: String(bot.id),
      metadata: { ...heard.message.metadata, ...commandMetadata },
    },
  };
}

/** A message that was changed. Two changes in one second have the same time, so the update's own number tells them apart. */
export function translateEdit(message: Message, updateId: number, translator: Translator): Heard | null {
  const content = contentOf(message);
  if (content === null) return null;
  const heard = frameOf(message, translator);
  const editedAt = isoTime(message.edit_date ?? message.date);
  return {
    place: heard.place,
    albumId: null,
    message: {
      ...heard.message,
      kind: "edited",
      text: content.text,
      attachments: content.attachments,
      timestamp: editedAt,
      revision: `${translator.bot.id}:${message.edit_date ?? 0}:${updateId}`,
      metadata: { ...heard.message.metadata, edited_at: editedAt },
    },
  };
}

/** What every event about a message has in common. */
function frameOf(message: Message, { bot, topics }: Translator): Pick<Heard, "message" | "place"> {
  const actor = actorOf(message);
  const topicId = topicOf(message);
  topics.remember(message.chat.id, message.message_id, topicId);
  const isMentioned = isForBot(message, bot);
  const conversation = conversationOf(message.chat.id, topicId);
  const place = placeOf(message.chat, actor, bot);
  return {
    place,
    message: {
      id: String(whole(message.message_id)),
      conversation,
      sender: { id: actor.id, name: actor.name, isBot: actor.isBot },
      text: "",
      timestamp: isoTime(message.date),
      routing: routingOf(message.chat, isMentioned),
      replyTo: replyToOf(message.chat.id, message.message_id),
      metadata: {
        ...chatMetadata(message.chat, topicId),
        ...actorMetadata(actor),
        ...quoteMetadata(message),
        message_id: String(message.message_id),
        telegram_message_id: String(message.message_id),
        telegram_bot_username: bot.username,
        telegram_mentions_or_replies_to_bot: isMentioned,
        ...(message.media_group_id === undefined ? {} : { telegram_media_group_id: message.media_group_id }),
      },
    },
  };
}

/** Where something happened, for the policy. */
export function placeOf(chat: Chat, actor: Actor, bot: BotAccount): AdmissionPlace {
  return {
    scope: { kind: "chatId", id: String(chat.id) },
    channelIds: [],
    isDirect: chat.type === "private",
    senderId: actor.id,
    isBot: actor.isBot,
    isSelf: actor.id === String(bot.id),
  };
}

/** What bindings are matched on. */
export function routingOf(chat: Chat, mentionsBot: boolean): Routing {
  return { chatId: String(chat.id), isDirect: chat.type === "private", mentionsBot };
}

/** What an answer needs to know. */
export function replyToOf(chatId: number, messageId: number): ReplyTo {
  return { chat_id: String(chatId), message_id: String(messageId) };
}

/** What is known of a chat. */
export function chatMetadata(chat: Chat, topicId: number | null): Readonly<Record<string, unknown>> {
  const title = chat.title ?? null;
  return {
    telegram_chat_id: String(whole(chat.id)),
    telegram_chat_type: chat.type,
    ...(title === null ? {} : { telegram_chat_title: title, server_name: title, channel_name: title }),
    ...(topicId === null ? {} : { telegram_topic_id: String(topicId) }),
  };
}

/** What is known of who did it. */
export function actorMetadata(actor: Actor): Readonly<Record<string, unknown>> {
  return {
    telegram_user_id: actor.id,
    sender_id: actor.id,
    display_name: actor.name,
    sender_display_name: actor.name,
    sender_is_bot: actor.isBot,
    ...(actor.username === ""
      ? {}
      : { telegram_username: actor.username, telegram_user_mention: `@${actor.username}` }),
  };
}

/** A topic of a forum. Outside of forums the same field numbers chains of replies, which are no place of their own. */
export function topicOf(message: Message): number | null {
  return message.is_topic_message === true && typeof message.message_thread_id === "number"
    ? message.message_thread_id
    : null;
}

/** A channel, or a group's anonymous administrator, speaks as a chat; the user beside it is Telegram's stand-in. */
function actorOf(message: Message): Actor {
  return message.sender_chat === undefined ? userActor(message.from) : chatActor(message.sender_chat);
}

/** @throws {TypeError} where there is nobody. */
export function userActor(user: Message["from"]): Actor {
  if (user === undefined) throw new TypeError("nobody wrote it");
  const name = user.last_name === undefined ? user.first_name : `${user.first_name} ${user.last_name}`;
  return { id: String(whole(user.id)), name, isBot: isTrue(user.is_bot), username: user.username ?? "" };
}

/** A chat that does something under its own name. */
export function chatActor(chat: Chat): Actor {
  return {
    id: String(whole(chat.id)),
    name: chat.title ?? String(chat.id),
    isBot: false,
    username: chat.username ?? "",
  };
}

function quoteMetadata(message: Message): Readonly<Record<string, unknown>> {
  const target = message.reply_to_message;
  if (target === undefined || target.forum_topic_created !== undefined) return {};
  const author = target.sender_chat === undefined ? target.from : undefined;
  return {
    reply_to_message_id: String(target.message_id),
    reply_to_text: (message.quote?.text ?? target.text ?? target.caption ?? "").slice(0, longestQuote),
    reply_to_author: target.sender_chat?.title ?? author?.first_name ?? "",
    ...(author === undefined
      ? {}
      : {
          reply_to_user_id: String(author.id),
          reply_to_is_bot: author.is_bot,
          reply_to_username: author.username ?? "",
        }),
  };
}

/** Seconds as Telegram counts them. @throws {RangeError} for no time. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function isTrue(value: unknown): boolean {
  return value === true;
}

/** @throws {TypeError} for anything but a whole number: ids come from outside. */
export function whole(id: number): number {
  if (!Number.isSafeInteger(id)) throw new TypeError("an id that is no whole number");
  return id;
}
