/** Every response kind by Telegram's calls. */
import type { Opts, ReplyParameters } from "grammy/types";
import type { SendRequest } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { ReplyTo } from "../../src/contract/message.ts";
import type { Response } from "../../src/contract/response.ts";
import { EditStreams } from "../../src/support/edit-streams.ts";
import { isRefusal } from "./api.ts";
import { ChatCalls, type ChatCallsParts, type Extras, extraFields } from "./chat-calls.ts";
import { fileCallOf } from "./file-call.ts";
import { captionLimit, fitText, requireParts, textLimit } from "./fit-text.ts";
import { renderTelegramHtml, visibleLength } from "./html.ts";
import { PartProgress } from "../../src/support/part-progress.ts";
import { reactionOf } from "./reactions.ts";
import { keyboardOf, pollFields, richText } from "./rich-message.ts";
import { uploadFile } from "./upload-file.ts";

/** Telegram answers edits that come faster with 429. */
const editPeriodMs = 1_000;
const mostStreams = 1_000;

type FileResponse = Extract<Response, { readonly kind: "file" }>;
type RichResponse = Extract<Response, { readonly kind: "rich_message" }>;

/** What a responder works with. `signal` ends with its generation. */
export type ResponderParts = ChatCallsParts & { readonly signal: AbortSignal };

/** One bot's answers. */
export class Responder implements Disposable {
  readonly #calls: ChatCalls;
  readonly #progress = new PartProgress();
  readonly #streams: EditStreams;

  constructor(parts: ResponderParts) {
    const { signal, log } = parts;
    const calls = new ChatCalls(parts);
    this.#calls = calls;
    this.#streams = new EditStreams({
      periodMs: editPeriodMs,
      mostOpen: mostStreams,
      placeholder: "…",
      fit: fitText,
      post: (conversation, text) => calls.post(conversation, text, { signal }),
      edit: (conversation, messageId, text) => calls.edit(conversation, { messageId, markdown: text, signal }),
      onError: (reason) => log.debug("telegram-stream-not-edited", { error: GatewayError.from(reason).message }),
    });
  }

  /**
   * Shows one response; resolves with the id of the first message it made, `null` where it made none.
   * @throws {GatewayError} `message_rejected` or `invalid_request` naming the field, or what Telegram said.
   */
  async send(request: SendRequest): Promise<string | null> {
    const { conversation, response, replyTo } = request;
    switch (response.kind) {
      case "text":
      case "ephemeral":
      case "scheduled_message":
        return this.#sendText(request, response.text, {});
      case "thread_reply":
        return this.#sendText(request, response.text, { replyTo: replyParameters(replyTo) });
      case "file":
        return this.#sendFile(request, response);
      case "rich_message":
        return this.#sendRich(request, response);
      case "reaction":
        await this.#react(request, [{ type: "emoji", emoji: reactionOf(response.emoji) }]);
        return null;
      case "remove_reaction":
        // A bot has one reaction to a message at most: without it there is none.
        reactionOf(response.emoji);
        await this.#react(request, []);
        return null;
      case "stream_start":
        return this.#streams.start(conversation, replyTo);
      case "stream_chunk":
        this.#streams.chunk(conversation, response.text);
        return null;
      case "stream_end":
        return this.#streams.end(conversation, response.text, replyTo);
    }
  }

  /** No edit is made any more, and ends of streams that wait are refused. */
  [Symbol.dispose](): void {
    this.#streams[Symbol.dispose]();
  }

  /** What it replies to stands over the first part, its buttons below the last. */
  #sendText({ conversation, idempotencyKey, signal }: SendRequest, text: string, extras: Extras): Promise<string> {
    const steps = requireParts(text).map(
      (part, index, { length }) =>
        (): Promise<string> =>
          this.#calls.post(conversation, part, {
            signal,
            replyTo: index === 0 ? extras.replyTo : undefined,
            keyboard: index === length - 1 ? extras.keyboard : undefined,
          }),
    );
    return this.#progress.run(idempotencyKey, steps);
  }

  /** A caption that is too long follows as a text. */
  #sendFile({ conversation, signal, idempotencyKey }: SendRequest, file: FileResponse): Promise<string> {
    const bytes = Buffer.from(file.data, "base64");
    const call = fileCallOf(file.mimeType, bytes.length);
    const { filename, caption = "" } = file;
    const isShort = caption.length <= textLimit && visibleLength(renderTelegramHtml(caption)) <= captionLimit;
    const upload = { call, filename, bytes, caption: isShort ? caption : "", signal };
    const texts = isShort ? [] : requireParts(caption);
    return this.#progress.run(idempotencyKey, [
      () => uploadFile(this.#calls, conversation, upload),
      ...texts.map((part) => () => this.#calls.post(conversation, part, { signal })),
    ]);
  }

  #sendRich(request: SendRequest, response: RichResponse): Promise<string> {
    const { conversation, signal, idempotencyKey } = request;
    const text = richText(response);
    const keyboard = keyboardOf(response.interactiveElements);
    const poll = response.poll === undefined ? null : pollFields(response.poll);
    if (poll === null) return this.#sendText(request, text, { keyboard });
    const texts = text.trim() === "" ? [] : requireParts(text);
    const isAlone = texts.length === 0;
    const steps = texts.map(
      (part, index) => () =>
        this.#calls.post(conversation, part, { signal, keyboard: index === texts.length - 1 ? keyboard : undefined }),
    );
    steps.push(() => this.#poll(conversation, { ...poll, ...(isAlone ? extraFields({ keyboard }) : {}) }, signal));
    return this.#progress.run(idempotencyKey, steps);
  }

  async #poll(conversation: string, fields: Omit<Opts<"sendPoll">, "chat_id">, signal: AbortSignal): Promise<string> {
    try {
      return await this.#calls.create(conversation, "sendPoll", fields, { signal });
    } catch (reason) {
      // Channels have no members whose votes could be shown.
      if (!isRefusal(reason) || !/non-anonymous/iu.test(reason.description)) throw reason;
      return this.#calls.create(conversation, "sendPoll", { ...fields, is_anonymous: true }, { signal });
    }
  }

  async #react(
    { conversation, replyTo, signal }: SendRequest,
    reaction: NonNullable<Opts<"setMessageReaction">["reaction"]>,
  ): Promise<void> {
    const messageId = replyParameters(replyTo)?.message_id;
    if (messageId === undefined)
      throw new GatewayError("invalid_request", "Cannot react: replyTo is null, expected the message to react to");
    await this.#calls.call(conversation, "setMessageReaction", { message_id: messageId, reaction }, { signal });
  }
}

/** The message that is answered; sent all the same when that is gone. `undefined`: it answers none. */
function replyParameters(replyTo: ReplyTo | null): ReplyParameters | undefined {
  const messageId = Number(replyTo?.["message_id"] ?? Number.NaN);
  return Number.isSafeInteger(messageId) ? { message_id: messageId, allow_sending_without_reply: true } : undefined;
}
