/** One update as what the gateway hears of it. Pure. https://core.telegram.org/bots/api#update */
import type { CallbackQuery, ChatMemberUpdated, MessageReactionUpdated, ReactionType, Update } from "grammy/types";
import { conversationOf } from "./address.ts";
import {
  actorMetadata,
  chatActor,
  chatMetadata,
  type Heard,
  isoTime,
  placeOf,
  replyToOf,
  routingOf,
  topicOf,
  translateEdit,
  translateMessage,
  type Translator,
  userActor,
  whole,
} from "./translate-message.ts";

/** What Telegram is asked to send: reactions come only where they are named. */
export const allowedUpdates = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "message_reaction",
  "my_chat_member",
] as const satisfies readonly (keyof Update)[];

/** What one update comes to. */
export type Translated =
  | {
      readonly kind: "heard";
      readonly items: readonly Heard[];
      /** The query that waits for an answer: its button turns until then. */
      readonly queryId: string | null;
    }
  | { readonly kind: "member"; readonly conversation: string; readonly status: string }
  | { readonly kind: "migrated"; readonly from: string; readonly to: string }
  | { readonly kind: "ignored"; readonly what: string };

/** Never throws: what has not the form that Telegram promises is `ignored` as `malformed`. */
export function translateUpdate(update: Update, translator: Translator): Translated {
  try {
    return translate(update, translator);
  } catch {
    // Fields are read as Telegram promises them; whatever went wrong on the way is one malformed update.
    return { kind: "ignored", what: "malformed" };
  }
}

function translate(update: Update, translator: Translator): Translated {
  const message = update.message ?? update.channel_post;
  if (message !== undefined) {
    if (message.migrate_to_chat_id !== undefined)
      return { kind: "migrated", from: String(message.chat.id), to: String(message.migrate_to_chat_id) };
    return heardOr(translateMessage(message, translator), "service_message");
  }
  const edited = update.edited_message ?? update.edited_channel_post;
  if (edited !== undefined) return heardOr(translateEdit(edited, update.update_id, translator), "service_message");
  if (update.callback_query !== undefined) return translateQuery(update.callback_query, translator);
  if (update.message_reaction !== undefined)
    return translateReaction(update.message_reaction, update.update_id, translator);
  if (update.my_chat_member !== undefined) return translateMember(update.my_chat_member);
  return { kind: "ignored", what: Object.keys(update).find((key) => key !== "update_id") ?? "nothing" };
}

function heardOr(heard: Heard | null, what: string): Translated {
  return heard === null ? { kind: "ignored", what } : { kind: "heard", items: [heard], queryId: null };
}

/** A button that was pressed. */
function translateQuery(query: CallbackQuery, { bot }: Translator): Translated {
  const { message } = query;
  // Of an inline message in a chat that the bot is not in.
  if (message === undefined) return { kind: "ignored", what: "inline_callback_query" };
  const actor = userActor(query.from);
  // Telegram withholds old messages; their chat and number are always there.
  const full = message.date === 0 ? null : message;
  const topicId = full === null ? null : topicOf(full);
  const data = query.data ?? query.game_short_name ?? "";
  const [actionId = "", ...values] = data.split(valueSeparator);
  const label = full === null ? null : labelOf(full.reply_markup, data);
  const heard: Heard = {
    place: placeOf(message.chat, actor, bot),
    albumId: null,
    message: {
      id: query.id,
      conversation: conversationOf(message.chat.id, topicId),
      sender: { id: actor.id, name: actor.name, isBot: actor.isBot },
      kind: "interaction",
      text: `[interaction: ${actionId} -> ${label ?? (values.length === 0 ? actionId : values.join(", "))}]`,
      routing: routingOf(message.chat, true),
      replyTo: replyToOf(message.chat.id, message.message_id),
      revision: String(bot.id),
      metadata: {
        ...chatMetadata(message.chat, topicId),
        ...actorMetadata(actor),
        message_id: String(message.message_id),
        telegram_message_id: String(message.message_id),
        telegram_bot_username: bot.username,
        telegram_mentions_or_replies_to_bot: true,
        action_id: actionId,
        values,
        label,
        message_ts: String(message.message_id),
      },
    },
  };
  return { kind: "heard", items: [heard], queryId: query.id };
}

/** Between a select's id and the option that was chosen, in a button's 64 bytes. */
export const valueSeparator = "\u001F";

type Keyboard = { readonly inline_keyboard: readonly (readonly { readonly text: string }[])[] };

function labelOf(keyboard: Keyboard | undefined, data: string): string | null {
  const buttons = keyboard?.inline_keyboard.flat() ?? [];
  return buttons.find((button) => "callback_data" in button && button.callback_data === data)?.text ?? null;
}

/** An update has the reactions before and after; each that came or went is an event of its own. */
function translateReaction(
  reaction: MessageReactionUpdated,
  updateId: number,
  { bot, topics }: Translator,
): Translated {
  const { chat, message_id: messageId } = reaction;
  const topicId = topics.topicOf(chat.id, messageId);
  const actor = reaction.actor_chat === undefined ? userActor(reaction.user) : chatActor(reaction.actor_chat);
  const before = reaction.old_reaction.map(emojiOf);
  const after = reaction.new_reaction.map(emojiOf);
  const changes = [
    ...after.filter((emoji) => !before.includes(emoji)).map((emoji) => ({ emoji, action: "added" })),
    ...before.filter((emoji) => !after.includes(emoji)).map((emoji) => ({ emoji, action: "removed" })),
  ];
  const items = changes.map(({ emoji, action }): Heard => ({
    place: placeOf(chat, actor, bot),
    albumId: null,
    message: {
      id: String(whole(messageId)),
      conversation: conversationOf(chat.id, topicId),
      sender: { id: actor.id, name: actor.name, isBot: actor.isBot },
      kind: "reaction",
      text: emoji,
      timestamp: isoTime(reaction.date),
      routing: routingOf(chat, false),
      replyTo: replyToOf(chat.id, messageId),
      revision: `${bot.id}:${updateId}:${actor.id}:${action}:${emoji}`,
      metadata: {
        ...chatMetadata(chat, topicId),
        ...actorMetadata(actor),
        message_id: String(messageId),
        telegram_message_id: String(messageId),
        reaction_emoji: emoji,
        reaction_action: action,
      },
    },
  }));
  return { kind: "heard", items, queryId: null };
}

function emojiOf(reaction: ReactionType): string {
  if (reaction.type === "emoji") return reaction.emoji;
  return reaction.type === "custom_emoji" ? `custom:${reaction.custom_emoji_id}` : "paid";
}

function translateMember({ chat, new_chat_member: member }: ChatMemberUpdated): Translated {
  return { kind: "member", conversation: conversationOf(chat.id, null), status: member.status };
}
