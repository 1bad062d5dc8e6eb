/** Past messages of a channel or a thread, for handlers that want to know what was said. */
import type { HistoryMessage, ReplyTo } from "../../src/contract/message.ts";
import { parseAddress, replyIn, threadOf } from "./address.ts";
import type { Identity, SlackApi } from "./api.ts";
import type { Channels } from "./channels.ts";
import { findDetails } from "./details.ts";
import type { Directory } from "./directory.ts";
import { fieldsOf, listOf, textOf, type Fields } from "./fields.ts";
import { readableText } from "./message-text.ts";
import { isTimestamp, parsePosted, timeOf, type Post } from "./post.ts";

/** What is asked for. `before` is a message's id; `null`: up to now. */
export type HistoryRequest = {
  readonly conversation: string;
  readonly replyTo: ReplyTo | null;
  readonly limit: number;
  readonly before: string | null;
};

const mostMessages = 200;
/** Threads come oldest first, so that their end is found only by reading on. */
const mostPages = 5;

/** The history of one workspace's conversations. */
export class History {
  readonly #api: SlackApi;
  readonly #channels: Channels;
  readonly #directory: Directory;
  readonly #identity: Identity;

  constructor(parts: {
    readonly api: SlackApi;
    readonly channels: Channels;
    readonly directory: Directory;
    readonly identity: Identity;
  }) {
    this.#api = parts.api;
    this.#channels = parts.channels;
    this.#directory = parts.directory;
    this.#identity = parts.identity;
  }

  /** Oldest first, all of them before `before`, at most 200. @throws {GatewayError} what the calls refuse. */
  async read(request: HistoryRequest): Promise<readonly HistoryMessage[]> {
    const address = parseAddress(request.conversation);
    const channel = await this.#channels.resolve(address);
    const reply = replyIn(channel, request.replyTo);
    const threadTs = threadOf(address, reply);
    // Commands and clicks have ids that are no moments.
    const latest = isTimestamp(request.before ?? "") ? (request.before ?? "") : "";
    const limit = Math.max(1, Math.min(mostMessages, request.limit));
    const bounds = latest === "" ? {} : { latest, inclusive: false };
    const messages =
      threadTs === ""
        ? (await this.#page("conversations.history", { channel, limit, ...bounds })).messages.toReversed()
        : await this.#thread({ channel, ts: threadTs, limit: mostMessages, ...bounds }, limit);
    const posts = messages.map((message) => parsePosted(channel, message)).filter((post) => post !== null);
    return Promise.all(posts.map((post) => this.#describe(post)));
  }

  async #thread(request: Fields, limit: number): Promise<readonly Fields[]> {
    let last: readonly Fields[] = [];
    let cursor = "";
    for (let page = 0; page < mostPages; page += 1) {
      const found = await this.#page("conversations.replies", { ...request, ...(cursor === "" ? {} : { cursor }) });
      last = [...last, ...found.messages].slice(-limit);
      cursor = found.cursor;
      if (cursor === "") break;
    }
    // Slack puts a thread's first message on every page.
    return last.filter((message, index) => last.findIndex(({ ts }) => ts === message["ts"]) === index);
  }

  async #page(method: string, request: Fields): Promise<{ messages: readonly Fields[]; cursor: string }> {
    const answer = await this.#api.call(method, request);
    return {
      messages: listOf(answer["messages"]).map(fieldsOf),
      cursor: textOf(fieldsOf(answer["response_metadata"])["next_cursor"]),
    };
  }

  async #describe(post: Post): Promise<HistoryMessage> {
    const details = await findDetails(
      { ...post, channel: "", threadTs: "", teamId: this.#identity.teamId },
      this.#directory,
      this.#identity,
    );
    return {
      author: details.sender?.display ?? (post.user || post.botId),
      text: readableText(post.text, details.nameOf),
      isBot: post.botId !== "" || post.user === this.#identity.userId,
      timestamp: timeOf(post.ts),
    };
  }
}
