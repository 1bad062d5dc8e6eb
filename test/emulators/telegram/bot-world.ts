/** What Telegram knows: one bot, its chats, their messages, the files. The bot's side of it is in the methods. */
import { Observed } from "../../conformance/observed.ts";
import { OfferedCommands } from "../../conformance/offered-commands.ts";
import { badRequest, ApiRefusal } from "./api-refusal.ts";
import { UpdateQueue } from "./update-queue.ts";

/** One chat. */
export type WorldChat = {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup" | "channel";
  readonly title?: string;
  readonly first_name?: string;
  readonly username?: string;
  readonly is_forum?: true;
};
/** What stands in a chat. */
export type WorldMessage = {
  readonly chat: WorldChat;
  readonly messageId: number;
  readonly topicId: number | null;
  readonly isBots: boolean;
  text: string;
  keyboard: unknown;
  reaction: string | null;
};
/** A file by its id. */
export type WorldFile = {
  readonly id: string;
  readonly path: string;
  readonly filename: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
};

/** The bot as getMe answers. */
export const botUser = { id: 7_000_001, is_bot: true, first_name: "Bulk", username: "bulk_test_bot" } as const;
/** The one person. */
export const annUser = { id: 1001, is_bot: false, first_name: "Ann", username: "ann" } as const;
export const mainChat: WorldChat = { id: -1_001_000_000_001, type: "supergroup", title: "Main", is_forum: true };
export const otherChat: WorldChat = { id: -1_001_000_000_002, type: "supergroup", title: "Other" };
export const privateChat: WorldChat = { id: annUser.id, type: "private", first_name: "Ann", username: "ann" };
export const channelChat: WorldChat = { id: -1_001_000_000_003, type: "channel", title: "News" };

/** State that the methods change and the emulator's user looks at. */
export class BotWorld {
  readonly queue = new UpdateQueue();
  readonly chats = new Map<number, WorldChat>(
    [mainChat, otherChat, privateChat, channelChat].map((chat) => [chat.id, chat]),
  );
  /** `chat:topic`. */
  readonly topics = new Set<string>([`${mainChat.id}:7`]);
  readonly messages = new Map<string, WorldMessage>();
  readonly files = new Map<string, WorldFile>();
  /** Callback queries that wait for an answer. */
  readonly queries = new Set<string>();
  readonly answeredQueries = new Observed<string>();
  /** By the names in the menu. */
  readonly offered = new OfferedCommands();
  /** Chats that the bot was thrown out of, or whose person blocked it. */
  readonly blocked = new Set<number>();
  readonly migrated = new Map<number, number>();
  menu: readonly unknown[] = [];
  webhook: { readonly url: string; readonly secret: string } | null = null;
  webhookError: { readonly date: number; readonly message: string } | null = null;
  #lastMessageId = 100;
  #lastFile = 0;

  /** Writes a message into a chat. */
  write(
    message: Omit<WorldMessage, "messageId" | "keyboard" | "reaction"> & { readonly keyboard?: unknown },
  ): WorldMessage {
    this.#lastMessageId += 1;
    const written = { keyboard: null, ...message, messageId: this.#lastMessageId, reaction: null };
    this.messages.set(`${message.chat.id}:${written.messageId}`, written);
    return written;
  }

  /** The message of a chat, or `null`. */
  find(chat: WorldChat, messageId: number | null): WorldMessage | null {
    return this.messages.get(`${chat.id}:${messageId}`) ?? null;
  }

  addFile(filename: string, mimeType: string, bytes: Uint8Array): WorldFile {
    this.#lastFile += 1;
    const extension = /\.(\w+)$/u.exec(filename)?.[1] ?? "bin";
    const file = {
      id: `BQACAgIAAxkB-${this.#lastFile}`,
      path: `documents/file_${this.#lastFile}.${extension}`,
      filename,
      mimeType,
      bytes,
    };
    this.files.set(file.id, file);
    return file;
  }

  /** The chat that a call names. @throws {ApiRefusal} in Telegram's words. */
  chat(chatId: string): WorldChat {
    if (chatId === "") throw badRequest("chat_id is empty");
    const target = this.migrated.get(Number(chatId));
    if (target !== undefined)
      throw badRequest("group chat was upgraded to a supergroup chat", { migrate_to_chat_id: target });
    const chat = this.chats.get(Number(chatId));
    if (chat === undefined) throw badRequest("chat not found");
    if (!this.blocked.has(chat.id)) return chat;
    const why = chat.type === "private" ? "bot was blocked by the user" : "bot was kicked from the supergroup chat";
    throw new ApiRefusal(403, `Forbidden: ${why}`);
  }
}

/** A chat and topic as the adapter names them. */
export function conversationName(chat: WorldChat, topicId: number | null): string {
  return topicId === null ? String(chat.id) : `${chat.id}#topic:${topicId}`;
}
