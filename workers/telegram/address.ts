/** Conversations of Telegram by name: `-100123` is a chat, `-100123#topic:7` a topic of its forum, `@news` a public channel. */
import { GatewayError } from "../../src/contract/errors.ts";

/** Where something is sent. `topicId` `null`: the chat itself, or its topic "General". */
export type Address = { readonly chatId: number | string; readonly topicId: number | null };

const form = /^(?<chat>-?[1-9]\d{0,15}|@[A-Za-z]\w{3,31})(?:#topic:(?<topic>[1-9]\d{0,9}))?$/u;
/** Telegram's name for "General" that it takes in no call. */
const generalTopic = 1;

/** The conversation's name. */
export function conversationOf(chatId: number, topicId: number | null): string {
  return topicId === null || topicId === generalTopic ? String(chatId) : `${chatId}#topic:${topicId}`;
}

/** @throws {GatewayError} `invalid_request` for what names no conversation of Telegram. */
export function parseAddress(conversation: string): Address {
  const { chat, topic } = form.exec(conversation)?.groups ?? {};
  if (chat === undefined)
    throw new GatewayError(
      "invalid_request",
      `Cannot send to ${JSON.stringify(conversation.slice(0, 100))}: expected a chat's id, -100123#topic:7, or @name`,
    );
  const topicId = topic === undefined ? null : Number(topic);
  return { chatId: chat.startsWith("@") ? chat : Number(chat), topicId: topicId === generalTopic ? null : topicId };
}

/** An address as the fields of a call. */
export function addressFields({ chatId, topicId }: Address): {
  readonly chat_id: number | string;
  readonly message_thread_id?: number;
} {
  return topicId === null ? { chat_id: chatId } : { chat_id: chatId, message_thread_id: topicId };
}
