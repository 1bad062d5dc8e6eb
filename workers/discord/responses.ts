/** What consumers say, as Discord shows it. */
import { Routes } from "discord.js";
import type { DoubtfulSend, SendRequest } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { StatusUpdate } from "../../src/contract/response.ts";
import { untoldSend } from "../../src/support/untold-send.ts";
import { EditStreams } from "../../src/support/edit-streams.ts";
import { TypingIndicators } from "../../src/support/typing-indicator.ts";
import type { DiscordApi } from "./api.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { Directory } from "./directory.ts";
import { emojiInRoute, toEmoji } from "./emoji.ts";
import type { Interactions } from "./interactions.ts";
import { fileParts, fitContent, richParts, textBody, textParts } from "./message-parts.ts";
import { MessageSender } from "./message-sender.ts";
import type { Places } from "./places.ts";
import { openThread } from "./threads.ts";

/** What responses are shown through. */
export type ResponsesParts = {
  readonly api: DiscordApi;
  readonly directory: Directory;
  readonly places: Places;
  readonly interactions: Interactions;
  /** The bot's own. */
  readonly userId: string;
  readonly onError: (what: string, reason: unknown) => void;
};

type Receipt = { readonly platformMessageId: string | null };

/** Discord shows an indicator for 10 s. */
const typingPeriodMs = 8_000;
const longestTypingMs = 600_000;
/** Discord allows five edits in five seconds of a channel, and other posts count too. */
const editPeriodMs = 1_200;
const mostStreams = 500;
const mostThreads = 1_000;

/** One generation's answers. Disposing ends indicators and streams. */
export class Responses implements Disposable {
  readonly #parts: ResponsesParts;
  readonly #sender: MessageSender;
  readonly #typing: TypingIndicators;
  readonly #streams: EditStreams;
  /** The send that each conversation's stream is at, so that its posts are known when they come again. */
  readonly #streamSends = new BoundedMap<{ readonly request: SendRequest; posts: number }>(mostStreams);
  /** Thread by the send that opened it. */
  readonly #threads = new BoundedMap<string>(mostThreads);

  constructor(parts: ResponsesParts) {
    this.#parts = parts;
    const { api, places } = parts;
    this.#sender = new MessageSender(parts);
    this.#typing = new TypingIndicators({
      periodMs: typingPeriodMs,
      longestMs: longestTypingMs,
      show: async (conversation, signal) => {
        const route = Routes.channelTyping(await places.channelOf(conversation));
        await api.request({ method: "POST", route, what: "show that the bot types", signal });
      },
      onError: (reason) => parts.onError("typing", reason),
    });
    this.#streams = new EditStreams({
      periodMs: editPeriodMs,
      mostOpen: mostStreams,
      placeholder: "…",
      fit: fitContent,
      post: (conversation, text) => this.#postOfStream(conversation, text),
      edit: (conversation, messageId, text) => this.#sender.edit(conversation, messageId, textBody(text)),
      onError: (reason) => parts.onError("stream", reason),
    });
  }

  /** @throws {GatewayError} `invalid_request` or `message_rejected` naming what is wrong; what Discord says. */
  async send(request: SendRequest): Promise<Receipt> {
    const { conversation, response, replyTo } = request;
    if (response.kind !== "stream_chunk" && response.kind !== "stream_start") this.#typing.stop(conversation);
    switch (response.kind) {
      case "text":
      case "scheduled_message":
        return receipt(await this.#sender.send(textParts(response.text), request));
      case "file":
        return receipt(await this.#sender.send(fileParts(response), request));
      case "rich_message":
        return receipt(await this.#sender.send(richParts(response), request));
      case "ephemeral":
        return receipt(await this.#sender.sendPrivately(textParts(response.text), request));
      case "thread_reply":
        return receipt(await this.#sendToThread(request, response));
      case "reaction":
      case "remove_reaction":
        return receipt(await this.#react(request, response));
      case "stream_start":
        this.#streamSends.set(conversation, { request, posts: 0 });
        return receipt(await this.#streams.start(conversation, replyTo));
      case "stream_chunk":
        this.#streams.chunk(conversation, response.text);
        return receipt(null);
      case "stream_end":
        // Sent again, it goes on after the parts that are there: their number must not begin anew.
        if (this.#streamSends.get(conversation)?.request.idempotencyKey !== request.idempotencyKey)
          this.#streamSends.set(conversation, { request, posts: 0 });
        return receipt(await this.#streams.end(conversation, response.text, replyTo));
    }
  }

  /**
   * Posts what is not there yet of a send whose answer was lost.
   * @throws {GatewayError} `timeout` where it cannot be told; else as {@link Responses.send}.
   */
  async complete(request: DoubtfulSend): Promise<Receipt> {
    const { response } = request;
    const to = { ...request, sinceMs: Date.parse(request.attemptedAt) };
    switch (response.kind) {
      case "text":
        return receipt(await this.#sender.complete(textParts(response.text), to));
      case "rich_message":
        return receipt(await this.#sender.complete(richParts(response), to));
      // It is there once, however often it is set.
      case "reaction":
      case "remove_reaction":
        return this.send(request);
      case "file":
      case "ephemeral":
      case "scheduled_message":
      case "thread_reply":
      case "stream_start":
      case "stream_chunk":
      case "stream_end":
        throw untoldSend(`nothing shows a ${response.kind} that was sent before`);
    }
  }

  /** Shows that the bot is at it, or no longer is. */
  setStatus({ conversation, status }: { readonly conversation: string; readonly status: StatusUpdate }): void {
    if (status.kind === "stop_typing") this.#typing.stop(conversation);
    else this.#typing.start(conversation);
  }

  [Symbol.dispose](): void {
    this.#typing[Symbol.dispose]();
    this.#streams[Symbol.dispose]();
  }

  async #postOfStream(conversation: string, text: string): Promise<string> {
    const send = this.#streamSends.get(conversation);
    if (send === undefined) throw new GatewayError("internal", "Cannot post a stream's text: no send belongs to it");
    const { request, posts } = send;
    const key = `${request.idempotencyKey}/${posts}`;
    const id = await this.#sender.send([textBody(text)], { ...request, idempotencyKey: key });
    send.posts += 1;
    return id;
  }

  async #sendToThread(
    request: SendRequest,
    response: Extract<SendRequest["response"], { readonly kind: "thread_reply" }>,
  ): Promise<string> {
    const parts = textParts(response.text);
    const { conversation, replyTo, idempotencyKey } = request;
    // Whoever typed a command waits for its answer there, and a private one must not be in a thread for all.
    if (
      replyTo?.["interactionId"] !== undefined &&
      (replyTo["messageId"] === undefined || replyTo["isPrivate"] === "true")
    )
      return this.#sender.send(parts, request);
    const threadId = this.#threads.get(idempotencyKey) ?? (await this.#openThread(conversation, replyTo, response));
    if (threadId === null) return this.#sender.send(parts, request);
    this.#threads.set(idempotencyKey, threadId);
    return this.#sender.send(parts, { ...request, conversation: threadId, replyTo: null });
  }

  async #openThread(
    conversation: string,
    replyTo: SendRequest["replyTo"],
    response: { readonly threadName: string },
  ): Promise<string | null> {
    const { api, directory, places } = this.#parts;
    const channelId = await places.channelOf(conversation);
    const channel = await directory.resolve(channelId, null);
    if (channel.isThread || channel.recipientId !== null) return null;
    const messageId = replyTo?.["channelId"] === channelId ? (replyTo["messageId"] ?? null) : null;
    return openThread(api, { channelId, messageId, name: response.threadName });
  }

  async #react(
    { conversation, replyTo }: SendRequest,
    { kind, emoji }: { readonly kind: "reaction" | "remove_reaction"; readonly emoji: string },
  ): Promise<string> {
    const messageId = replyTo?.["messageId"];
    if (messageId === undefined)
      throw new GatewayError("invalid_request", `Cannot send the ${kind}: it answers no message that could have it`);
    const known = toEmoji(emoji);
    if (known === null)
      throw new GatewayError(
        "message_rejected",
        `Cannot send the ${kind}: emoji is ${JSON.stringify(emoji)}, expected one, its name, or <:name:id>`,
      );
    const channelId = replyTo?.["channelId"] ?? (await this.#parts.places.channelOf(conversation));
    const route = Routes.channelMessageOwnReaction(channelId, messageId, emojiInRoute(known));
    const method = kind === "reaction" ? "PUT" : "DELETE";
    await this.#parts.api.request({ method, route, what: `send the ${kind}` });
    return messageId;
  }
}

function receipt(platformMessageId: string | null): Receipt {
  return { platformMessageId };
}
