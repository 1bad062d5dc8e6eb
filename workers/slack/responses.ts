/** What a handler answers, as Slack shows it: one way per kind. */
import type { DoubtfulSend, SendRequest } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { ReplyTo } from "../../src/contract/message.ts";
import type { Response } from "../../src/contract/response.ts";
import { untoldSend } from "../../src/support/untold-send.ts";
import { EditStreams } from "../../src/support/edit-streams.ts";
import { nameOfEmoji } from "../../src/support/emoji.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { parseAddress, replyIn, threadOf } from "./address.ts";
import type { SlackApi } from "./api.ts";
import type { AssistantStatus } from "./assistant-status.ts";
import type { Channels } from "./channels.ts";
import { textOf } from "./fields.ts";
import type { Files } from "./files.ts";
import { splitMarkdown } from "./mrkdwn.ts";
import { bodyOf, placeOf, type Content, type PostedSend, type Poster, type Spot } from "./poster.ts";
import { richBlocks } from "./rich-blocks.ts";
import type { Whispers } from "./whispers.ts";

/** What the responses work with. */
export type ResponsesOptions = {
  readonly api: SlackApi;
  readonly channels: Channels;
  readonly files: Files;
  readonly poster: Poster;
  readonly status: AssistantStatus;
  readonly whispers: Whispers;
  readonly onStreamError: (reason: unknown) => void;
};

type Of<Kind extends Response["kind"]> = Extract<Response, { readonly kind: Kind }>;
/** Where a response goes, and what of the message it answers is there. */
type Place = Spot & { readonly reply: ReplyTo };

/** `chat.update` is allowed 50 times a minute. */
const editPeriodMs = 1_250;
const mostStreams = 1_000;
/** Threads that were begun and have nothing in them yet. */
const mostBegun = 1_000;
const placeholder = "…";
/** Of a stream: its posts are not looked for. */
const unnamed: PostedSend = { key: "", doubtedSinceMs: null };

/** The responses of one adapter. */
export class Responses implements Disposable {
  readonly #options: ResponsesOptions;
  readonly #streams: EditStreams;
  /** Thread by the send that began it and is not through, the oldest first. */
  readonly #begun = new BoundedMap<string>(mostBegun);

  constructor(options: ResponsesOptions) {
    this.#options = options;
    this.#streams = new EditStreams({
      periodMs: editPeriodMs,
      mostOpen: mostStreams,
      placeholder,
      fit: splitMarkdown,
      onError: options.onStreamError,
      post: async (conversation, text, replyTo) =>
        this.#post(await this.#placeOf(conversation, replyTo), { text, blocks: [], ...unnamed }),
      edit: (conversation, messageId, text) => this.#edit(conversation, messageId, text),
    });
  }

  /** Sends one response; resolves with Slack's id of what it made. @throws {GatewayError} what Slack or its limits refuse. */
  async send(request: SendRequest): Promise<string | null> {
    const { conversation, response, replyTo, idempotencyKey } = request;
    if (response.kind === "stream_chunk") {
      this.#streams.chunk(conversation, response.text);
      return null;
    }
    if (response.kind === "stream_start") return this.#streams.start(conversation, replyTo);
    if (response.kind === "stream_end") return this.#streams.end(conversation, response.text, replyTo);
    const place = await this.#placeOf(conversation, replyTo);
    const sent = { key: idempotencyKey, doubtedSinceMs: null };
    switch (response.kind) {
      case "text":
      case "rich_message":
        return this.#say(place, response, sent);
      case "thread_reply":
        return this.#replyInThread(place, response, sent);
      case "file":
        return this.#upload(place, response);
      case "reaction":
        return this.#react(place, "reactions.add", response.emoji, "already_reacted");
      case "remove_reaction":
        return this.#react(place, "reactions.remove", response.emoji, "no_reaction");
      case "ephemeral":
        return this.#options.whispers.send(place, response, place.reply);
      case "scheduled_message":
        return this.#schedule(place, response);
    }
  }

  /**
   * Says what is not there yet of a send whose answer was lost. Our posts carry their send's key, and a reaction is there
   * once; of everything else Slack tells nothing.
   * @throws {GatewayError} `timeout` where it cannot be told; else as {@link Responses.send}.
   */
  async complete(request: DoubtfulSend): Promise<string | null> {
    const { conversation, response, replyTo, idempotencyKey, attemptedAt } = request;
    const sent = { key: idempotencyKey, doubtedSinceMs: Date.parse(attemptedAt) };
    switch (response.kind) {
      case "text":
      case "rich_message":
        return this.#say(await this.#placeOf(conversation, replyTo), response, sent);
      case "thread_reply":
        return this.#replyInThread(await this.#placeOf(conversation, replyTo), response, sent);
      case "reaction":
      case "remove_reaction":
        return this.send(request);
      case "file":
      case "ephemeral":
      case "scheduled_message":
      case "stream_start":
      case "stream_chunk":
      case "stream_end":
        throw untoldSend(`nothing shows a ${response.kind} that was sent before`);
    }
  }

  /** Ends streams; those that are open are finished by whoever sends their end again. */
  [Symbol.dispose](): void {
    this.#streams[Symbol.dispose]();
  }

  async #placeOf(conversation: string, replyTo: ReplyTo | null): Promise<Place> {
    const address = parseAddress(conversation);
    const channel = await this.#options.channels.resolve(address);
    const reply = replyIn(channel, replyTo);
    return { channel, threadTs: threadOf(address, reply), reply };
  }

  #say(place: Spot, response: Of<"text"> | Of<"rich_message">, sent: PostedSend): Promise<string> {
    const blocks = response.kind === "rich_message" ? richBlocks(response) : [];
    return this.#post(place, { text: response.text, blocks, ...sent });
  }

  async #post(
    place: Spot,
    { text, blocks, ...sent }: PostedSend & { readonly text: string; readonly blocks: Content["blocks"] },
  ): Promise<string> {
    const parts = splitMarkdown(text);
    // Blocks stand below the last of the text.
    const rows = parts.length === 0 ? [""] : parts;
    const contents = rows.map((markdown, index) => ({ markdown, blocks: index === rows.length - 1 ? blocks : [] }));
    // Refused before the first part is out.
    for (const content of contents) bodyOf(content);
    const ts = await this.#options.poster.post(place, contents, sent);
    this.#options.status.answered(place.channel, place.threadTs);
    return ts;
  }

  /** In the thread of what is answered; without one, a message with the thread's name begins it. */
  async #replyInThread(place: Place, response: Of<"thread_reply">, sent: PostedSend): Promise<string> {
    const { key } = sent;
    const known = place.threadTs || (place.reply["ts"] ?? this.#begun.get(key) ?? "");
    bodyOf({ markdown: response.text.trim().slice(0, 1), blocks: [] });
    const threadTs = known === "" ? await this.#beginThread(place, response.threadName, sent) : known;
    const ts = await this.#post({ channel: place.channel, threadTs }, { text: response.text, blocks: [], ...sent });
    this.#begun.delete(key);
    return ts;
  }

  /** Remembered until the thread has its text: sent again, that goes into the same one. */
  async #beginThread(place: Place, name: string, sent: PostedSend): Promise<string> {
    const key = `${sent.key}/thread`;
    const threadTs = await this.#post(place, { text: `**${name}**`, blocks: [], ...sent, key });
    this.#begun.set(sent.key, threadTs);
    return threadTs;
  }

  async #upload(place: Place, { filename, data, caption = "" }: Of<"file">): Promise<string> {
    return this.#options.files.upload(place, { filename, bytes: Buffer.from(data, "base64"), caption });
  }

  async #react(place: Place, method: string, emoji: string, accepted: string): Promise<null> {
    const timestamp = place.reply["ts"] ?? "";
    if (timestamp === "")
      throw new GatewayError("invalid_request", "Cannot react: there is no message that is answered, expected one");
    // The workspace's own emoji have names only.
    const name = nameOfEmoji(emoji) ?? emoji.replaceAll(/^:|:$/gu, "");
    if (!/^[\p{L}\p{N}_+'.:-]{1,100}$/u.test(name))
      throw new GatewayError("message_rejected", "Cannot react: emoji is nothing that Slack knows, expected an emoji");
    await this.#options.api.call(method, { channel: place.channel, timestamp, name }, [accepted]);
    return null;
  }

  async #schedule(place: Place, { text, postAt }: Of<"scheduled_message">): Promise<string> {
    const [first = "", ...others] = splitMarkdown(text);
    if (others.length > 0)
      throw new GatewayError("too_large", `Cannot schedule the message: text has ${text.length} characters`);
    const body = bodyOf({ markdown: first, blocks: [] });
    const request = { ...placeOf(place), ...body, post_at: postAt };
    return textOf((await this.#options.api.call("chat.scheduleMessage", request))["scheduled_message_id"]);
  }

  async #edit(conversation: string, ts: string, text: string): Promise<void> {
    const channel = await this.#options.channels.resolve(parseAddress(conversation));
    // A stream's text may be longer than one message until it ends.
    const [markdown = placeholder] = splitMarkdown(text);
    await this.#options.api.call("chat.update", { channel, ts, ...bodyOf({ markdown, blocks: [] }) });
  }
}
