/** Calls about one chat: wherever it has moved to, with formatting where Telegram can read it. */
import type { InlineKeyboardMarkup, Opts, ReplyParameters } from "grammy/types";
import type { AdapterLog } from "../../src/contract/adapter.ts";
import { addressFields, parseAddress } from "./address.ts";
import type { ApiMethod, ApiResult, CallOptions, TelegramApi } from "./api.ts";
import { TelegramError } from "./api-error.ts";
import type { ChatMigrations } from "./chat-migrations.ts";
import { textLimit } from "./fit-text.ts";
import { renderTelegramHtml, renderTelegramPlain, visibleLength } from "./html.ts";
import type { TopicMemory } from "./topic-memory.ts";

/** What they work with. */
export type ChatCallsParts = {
  readonly api: TelegramApi;
  readonly migrations: ChatMigrations;
  readonly topics: TopicMemory;
  readonly log: AdapterLog;
};

/** What a message has beside its text. */
export type Extras = {
  readonly replyTo?: ReplyParameters | undefined;
  readonly keyboard?: InlineKeyboardMarkup | undefined;
};

/** A text as a call has it. */
export type CallText = { readonly text: string; readonly parse_mode?: "HTML" };

/** One bot's calls about chats. */
export class ChatCalls {
  readonly #parts: ChatCallsParts;

  constructor(parts: ChatCallsParts) {
    this.#parts = parts;
  }

  /** A call whose chat, and for something new whose topic, `conversation` names. */
  async call<Method extends ApiMethod>(
    conversation: string,
    method: Method,
    payload: Omit<Opts<Method>, "chat_id">,
    options: CallOptions,
  ): Promise<ApiResult<Method>> {
    const { api, migrations } = this.#parts;
    const address = parseAddress(conversation);
    const isNew = method.startsWith("send");
    const run = (): Promise<ApiResult<Method>> => {
      const chatId = migrations.resolve(address.chatId);
      const place = isNew ? addressFields({ ...address, chatId }) : { chat_id: chatId };
      // Every method that is called here takes the chat by this name.
      return api.call(method, { ...payload, ...place } as unknown as Opts<Method>, options);
    };
    try {
      return await run();
    } catch (reason) {
      if (!(reason instanceof TelegramError) || reason.migratedTo === null) throw reason;
      migrations.add(String(address.chatId), reason.migratedTo);
      return run();
    }
  }

  /** Something new in `conversation`; resolves with its id. */
  async create<Method extends "sendMessage" | "sendPoll" | "sendDocument">(
    conversation: string,
    method: Method,
    payload: Omit<Opts<Method>, "chat_id">,
    options: CallOptions,
  ): Promise<string> {
    const message = await this.call(conversation, method, payload, options);
    this.#parts.topics.remember(message.chat.id, message.message_id, parseAddress(conversation).topicId);
    return String(message.message_id);
  }

  /** One message of Markdown that fits one; resolves with its id. */
  async post(
    conversation: string,
    markdown: string,
    options: Extras & { readonly signal: AbortSignal },
  ): Promise<string> {
    const { signal } = options;
    return this.formatted(markdown, textLimit, (text) =>
      this.create(conversation, "sendMessage", { ...text, ...extraFields(options) }, { signal }),
    );
  }

  /** Replaces a message's text; one that it has already is right as well. */
  async edit(
    conversation: string,
    {
      messageId,
      markdown,
      signal,
    }: { readonly messageId: string; readonly markdown: string; readonly signal: AbortSignal },
  ): Promise<void> {
    try {
      await this.formatted(markdown, textLimit, (text) =>
        this.call(conversation, "editMessageText", { ...text, message_id: Number(messageId) }, { signal }),
      );
    } catch (reason) {
      if (!(reason instanceof TelegramError && reason.isNotModified)) throw reason;
    }
  }

  /** With formatting, and once more without it where Telegram cannot read that. */
  async formatted<Result>(markdown: string, limit: number, call: (text: CallText) => Promise<Result>): Promise<Result> {
    const html = renderTelegramHtml(markdown);
    const length = visibleLength(html);
    const plain = { text: renderTelegramPlain(markdown, limit) };
    if (length > limit || html.trim() === "") return call(plain);
    try {
      return await call({ text: html, parse_mode: "HTML" });
    } catch (reason) {
      if (!(reason instanceof TelegramError && reason.isUnreadableMarkup)) throw reason;
      this.#parts.log.warn("telegram-formatting-refused", { error: reason.message });
      return call(plain);
    }
  }
}

/** As a call has them. */
export function extraFields({ replyTo, keyboard }: Extras): {
  readonly reply_parameters?: ReplyParameters;
  readonly reply_markup?: InlineKeyboardMarkup;
} {
  return {
    ...(replyTo === undefined ? {} : { reply_parameters: replyTo }),
    ...(keyboard === undefined ? {} : { reply_markup: keyboard }),
  };
}
