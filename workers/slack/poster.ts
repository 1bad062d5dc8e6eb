/** Posting: each part once, also where an answer is lost or a send is tried again. */
import { GatewayError } from "../../src/contract/errors.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { SlackApi } from "./api.ts";
import { fieldsOf, listOf, textOf, type Fields } from "./fields.ts";
import { longestMarkdown, toMrkdwn } from "./mrkdwn.ts";

/** Where a message goes. `threadTs` `""`: not into a thread. */
export type Spot = { readonly channel: string; readonly threadTs: string };

/** What one message shows. `markdown` may be `""` where there are blocks. */
export type Content = { readonly markdown: string; readonly blocks: readonly Fields[] };

type Found = { readonly kind: "there"; readonly ts: string } | { readonly kind: "absent" | "hidden" };

const mostUnfinished = 1_000;
/** The messages among which one is looked for whose answer was lost. */
const lookedThrough = 20;
const lookBackSeconds = 120;
const eventType = "bulkhead_send";

/** Posts of one adapter. */
export class Poster {
  readonly #api: SlackApi;
  /** Ids of the parts of sends that failed half-way, the oldest first. */
  readonly #unfinished = new BoundedMap<readonly string[]>(mostUnfinished);
  /** Keys of parts whose answer was lost and that were not to be seen then. */
  readonly #doubtful = new Set<string>();

  constructor(api: SlackApi) {
    this.#api = api;
  }

  /**
   * Posts `contents` in order and resolves with the first message's ts. Called again with the same `key` after a failure,
   * it goes on where it stopped.
   * @throws {GatewayError} `timeout` when nobody knows whether the last one arrived; else what the call refuses.
   */
  async post(spot: Spot, contents: readonly Content[], key: string): Promise<string> {
    const posted = [...(this.#unfinished.get(key) ?? [])];
    try {
      for (const [index, content] of contents.entries())
        if (index >= posted.length)
          posted.push(await this.#postOne(spot, content, key === "" ? "" : `${key}/${index}`));
    } catch (reason) {
      this.#remember(key, posted);
      throw reason;
    }
    this.#unfinished.delete(key);
    return posted[0] ?? "";
  }

  async #postOne(spot: Spot, content: Content, key: string): Promise<string> {
    if (this.#doubtful.has(key)) {
      const found = await this.#find(spot, key);
      if (found.kind === "there") return this.#settled(key, found.ts);
    }
    const request = { ...placeOf(spot), ...bodyOf(content), ...(key === "" ? {} : { metadata: metadataOf(key) }) };
    try {
      return this.#settled(key, textOf((await this.#api.call("chat.postMessage", request))["ts"]));
    } catch (reason) {
      const error = GatewayError.from(reason);
      if (error.code !== "timeout" || key === "") throw error;
      return this.#settled(key, await this.#lookAfter(spot, key, error));
    }
  }

  /** The answer to a post was lost: the ts of what it made, if it made something. */
  async #lookAfter(spot: Spot, key: string, error: GatewayError): Promise<string> {
    const found = await this.#find(spot, key);
    if (found.kind === "there") return found.ts;
    if (found.kind === "hidden" || error.retry.kind === "never") throw error;
    const [oldest] = this.#doubtful;
    if (this.#doubtful.size >= mostUnfinished && oldest !== undefined) this.#doubtful.delete(oldest);
    this.#doubtful.add(key);
    throw new GatewayError("platform_unavailable", `${error.message}; the message is not in the channel`);
  }

  /** Whether the message of `key` is in its channel. `hidden`: it cannot be seen. */
  async #find(spot: Spot, key: string): Promise<Found> {
    const method = spot.threadTs === "" ? "conversations.history" : "conversations.replies";
    const request = {
      channel: spot.channel,
      limit: lookedThrough,
      include_all_metadata: true,
      ...(spot.threadTs === "" ? {} : { ts: spot.threadTs, oldest: String(Date.now() / 1000 - lookBackSeconds) }),
    };
    try {
      const messages = listOf((await this.#api.call(method, request))["messages"]).map(fieldsOf);
      const found = messages.find((message) => keyOf(message) === key);
      return found === undefined ? { kind: "absent" } : { kind: "there", ts: textOf(found["ts"]) };
    } catch {
      // The send's own failure says more than this one.
      return { kind: "hidden" };
    }
  }

  #settled(key: string, ts: string): string {
    this.#doubtful.delete(key);
    return ts;
  }

  #remember(key: string, posted: readonly string[]): void {
    if (key === "" || posted.length === 0) return;
    this.#unfinished.set(key, posted);
  }
}

/** Channel and thread, as every call that posts wants them. */
export function placeOf(spot: Spot): Fields {
  return spot.threadTs === "" ? { channel: spot.channel } : { channel: spot.channel, thread_ts: spot.threadTs };
}

/**
 * The text as a Markdown block, and in Slack's own notation for notifications and clients without blocks.
 * @throws {GatewayError} `message_rejected` without anything to show.
 */
export function bodyOf({ markdown, blocks }: Content): Fields {
  if (markdown.trim() === "" && blocks.length === 0)
    throw new GatewayError("message_rejected", "Cannot send the response: text is empty, expected some");
  if (markdown.length > longestMarkdown)
    throw new GatewayError("too_large", `Cannot send the response: text has ${markdown.length} characters`);
  const own = markdown.trim() === "" ? [] : [{ type: "markdown", text: markdown }];
  return { text: toMrkdwn(markdown) || "…", blocks: [...own, ...blocks] };
}

function metadataOf(key: string): Fields {
  return { event_type: eventType, event_payload: { key } };
}

function keyOf(message: Fields): string {
  const metadata = fieldsOf(message["metadata"]);
  return metadata["event_type"] === eventType ? textOf(fieldsOf(metadata["event_payload"])["key"]) : "";
}
