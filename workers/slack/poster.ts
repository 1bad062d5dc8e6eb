/** Posting: each part once, also where an answer is lost or a send is tried again. */
import { GatewayError } from "../../src/contract/errors.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { untoldSend } from "../../src/support/untold-send.ts";
import type { SlackApi } from "./api.ts";
import { fieldsOf, listOf, textOf, type Fields } from "./fields.ts";
import { longestMarkdown, toMrkdwn } from "./mrkdwn.ts";

/** Where a message goes. `threadTs` `""`: not into a thread. */
export type Spot = { readonly channel: string; readonly threadTs: string };

/** What one message shows. `markdown` may be `""` where there are blocks. */
export type Content = { readonly markdown: string; readonly blocks: readonly Fields[] };

/** Which send the posts belong to. */
export type PostedSend = {
  /** `""`: its posts are not told apart. */
  readonly key: string;
  /** An earlier life may have made its posts, from then on; `null`: none has. */
  readonly doubtedSinceMs: number | null;
};

type Found = { readonly kind: "there"; readonly ts: string } | { readonly kind: "absent" | "hidden" };

const mostUnfinished = 1_000;
/** The messages among which one is looked for whose answer was lost just now. */
const lookedThrough = 20;
const lookBackSeconds = 120;
/** And those among which one of an earlier life is looked for. */
const pageMessages = 200;
const mostPages = 5;
/** The time of a send is that of a clock which may have been put since; of a channel's last messages all are looked at, whatever it says. */
const threadSkewMs = 90_000_000;
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
   * Posts `contents` in order and resolves with the first message's ts. Called again with the same key after a failure,
   * it goes on where it stopped; in doubt it looks first what is there.
   * @throws {GatewayError} `timeout` when nobody knows whether the last one arrived; else what the call refuses.
   */
  async post(spot: Spot, contents: readonly Content[], { key, doubtedSinceMs }: PostedSend): Promise<string> {
    const posted = [...(this.#unfinished.get(key) ?? [])];
    try {
      if (doubtedSinceMs !== null)
        posted.push(...(await this.#partsThere(spot, key, doubtedSinceMs)).slice(posted.length, contents.length));
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

  /** The first parts of a send that an earlier life posted. @throws {GatewayError} `timeout`: it cannot be told. */
  async #partsThere(spot: Spot, key: string, sinceMs: number): Promise<readonly string[]> {
    const byKey = new Map<string, string>();
    // Threads are listed from their beginning.
    const oldest = spot.threadTs === "" ? "" : secondsOf(sinceMs - threadSkewMs);
    let cursor = "";
    let isFromBefore = false;
    for (let page = 0; page === 0 || cursor !== ""; page += 1) {
      if (page === mostPages && isFromBefore) break;
      if (page === mostPages) throw untoldSend(`more than ${mostPages * pageMessages} messages were posted since`);
      const found = await this.#page(spot, { limit: pageMessages, oldest, cursor });
      if (found === null) throw untoldSend("the conversation's history cannot be read");
      for (const message of found.messages) byKey.set(keyOf(message), textOf(message["ts"]));
      isFromBefore = oldest === "" && Number(textOf(found.messages.at(-1)?.["ts"])) < Number(secondsOf(sinceMs));
      cursor = found.cursor;
    }
    const parts: string[] = [];
    for (;;) {
      const ts = byKey.get(`${key}/${parts.length}`);
      if (ts === undefined) return parts;
      parts.push(ts);
    }
  }

  /** Whether the message of `key` is in its channel. `hidden`: it cannot be seen. */
  async #find(spot: Spot, key: string): Promise<Found> {
    const since = secondsOf(Date.now() - lookBackSeconds * 1000);
    const page = await this.#page(spot, {
      limit: lookedThrough,
      oldest: spot.threadTs === "" ? "" : since,
      cursor: "",
    });
    if (page === null) return { kind: "hidden" };
    const found = page.messages.find((message) => keyOf(message) === key);
    return found === undefined ? { kind: "absent" } : { kind: "there", ts: textOf(found["ts"]) };
  }

  /** What was said at `spot`, with the marks of our own posts; `null` where we may not look. */
  async #page(
    spot: Spot,
    { limit, oldest, cursor }: { readonly limit: number; readonly oldest: string; readonly cursor: string },
  ): Promise<{ readonly messages: readonly Fields[]; readonly cursor: string } | null> {
    const isThread = spot.threadTs !== "";
    const request = {
      channel: spot.channel,
      limit,
      include_all_metadata: true,
      ...(isThread ? { ts: spot.threadTs } : {}),
      ...(oldest === "" ? {} : { oldest }),
      ...(cursor === "" ? {} : { cursor }),
    };
    try {
      const answer = await this.#api.call(isThread ? "conversations.replies" : "conversations.history", request);
      const next = textOf(fieldsOf(answer["response_metadata"])["next_cursor"]);
      return { messages: listOf(answer["messages"]).map(fieldsOf), cursor: next };
    } catch {
      // The send's own failure says more than this one.
      return null;
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

/** As Slack writes moments. Clocks differ: a minute more is looked at. */
function secondsOf(ms: number): string {
  return String(ms / 1000 - 60);
}

function metadataOf(key: string): Fields {
  return { event_type: eventType, event_payload: { key } };
}

function keyOf(message: Fields): string {
  const metadata = fieldsOf(message["metadata"]);
  return metadata["event_type"] === eventType ? textOf(fieldsOf(metadata["event_payload"])["key"]) : "";
}
