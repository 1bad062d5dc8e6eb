/** Fetches what was said while nobody listened, from the channels' histories, oldest first. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { sleep } from "../../src/support/time.ts";
import type { SlackApi } from "./api.ts";
import { fieldsOf, listOf, textOf, type Fields } from "./fields.ts";
import { parsePosted, type Post } from "./post.ts";
import { isLater, type Heard } from "./progress.ts";

/** What catching up works with. */
export type CatchUpOptions = {
  readonly api: SlackApi;
  readonly teamId: string;
  /** Takes one message; the second time changes nothing. */
  readonly accept: (post: Post, teamId: string) => Promise<void>;
  readonly missed: AdapterContext["missed"];
  readonly log: AdapterContext["log"];
  readonly signal: AbortSignal;
};

type Tally = { channels: number; messages: number; incomplete: number };

/** Slack's limits make more take too long. */
const mostChannels = 200;
const mostPages = 10;
const pageSize = 200;
/** Threads that began earlier are left, unless they were talked in: their replies could be anywhere. */
const threadAgeSeconds = 86_400;
/** A connection may be dead for a while before anybody notices. */
const unnoticedSeconds = 30;
const mostTries = 5;
const firstDelayMs = 1_000;
const longestWaitMs = 60_000;

/**
 * Reads every channel that was heard, and those the bot is in, since what `heard` says; then the threads that were
 * talked in. What could not be read counts as a gap of `gapSeconds`. Never rejects.
 */
export async function catchUp(heard: Heard, gapSeconds: number, options: CatchUpOptions): Promise<void> {
  const { log, missed, signal } = options;
  const tally: Tally = { channels: 0, messages: 0, incomplete: 0 };
  try {
    const since = await channelsToRead(heard, options, tally);
    const threads = new Map(Object.entries(heard.threads));
    for (const [channel, oldest] of since) {
      // Further back than was heard: a thread shows what was said in it only at its first message.
      const request = { channel, oldest: (Number(oldest) - threadAgeSeconds).toFixed(6) };
      const messages = await readAll("conversations.history", request, options, tally, { heardUpTo: oldest });
      tally.channels += 1;
      const unheard = messages.filter((message) => isLater(textOf(message["ts"]), oldest));
      await acceptAll(channel, unheard.toReversed(), options, tally);
      for (const thread of repliedTo(messages, oldest)) {
        const name = `${channel}/${thread}`;
        if (!threads.has(name)) threads.set(name, isLater(thread, oldest) ? thread : oldest);
      }
    }
    for (const [name, oldest] of threads) {
      const slash = name.indexOf("/");
      const [channel, ts] = [name.slice(0, slash), name.slice(slash + 1)];
      if (Number(oldest) < Date.now() / 1000 - gapSeconds - threadAgeSeconds) continue;
      const messages = await readAll("conversations.replies", { channel, ts, oldest }, options, tally);
      await acceptAll(
        channel,
        messages.filter((message) => isLater(textOf(message["ts"]), oldest)),
        options,
        tally,
      );
    }
  } catch (reason) {
    if (signal.aborted) return;
    tally.incomplete += 1;
    log.warn("slack-catch-up-failed", { error: GatewayError.from(reason).message });
  }
  if (tally.incomplete > 0) missed({ gapSeconds });
  log.info("slack-caught-up", { ...tally, gapSeconds: Math.round(gapSeconds) });
}

/** Channel and where to begin, what was heard last first. */
async function channelsToRead(
  heard: Heard,
  options: CatchUpOptions,
  tally: Tally,
): Promise<readonly (readonly [string, string])[]> {
  const since = new Map(Object.entries(heard.channels).toReversed());
  // A channel that was silent for long, or is new, has no place of its own.
  const request = { types: "public_channel,private_channel,mpim,im", exclude_archived: true };
  const found =
    heard.aliveAt === "" ? [] : await readAll("users.conversations", request, options, tally, { list: "channels" });
  const oldest = (Number(heard.aliveAt) - unnoticedSeconds).toFixed(6);
  for (const { id } of found) if (typeof id === "string" && !since.has(id)) since.set(id, oldest);
  if (since.size > mostChannels) tally.incomplete += 1;
  return [...since].slice(0, mostChannels);
}

/** The threads that began in `messages` and had replies after `oldest`. */
function repliedTo(messages: readonly Fields[], oldest: string): readonly string[] {
  return messages
    .filter((message) => isLater(textOf(message["latest_reply"]) || "0.0", oldest))
    .map((message) => textOf(message["ts"]));
}

async function acceptAll(
  channel: string,
  messages: readonly Fields[],
  { accept, teamId, signal }: CatchUpOptions,
  tally: Tally,
): Promise<void> {
  for (const message of messages) {
    const post = parsePosted(channel, message);
    if (post === null) continue;
    await persist(() => accept(post, teamId), signal);
    tally.messages += 1;
  }
}

/** Every page; where there are too many, or one may not be read, it is counted and the rest goes on. */
async function readAll(
  method: string,
  request: Fields,
  { api, signal }: CatchUpOptions,
  tally: Tally,
  { list = "messages", heardUpTo = "" }: { readonly list?: string; readonly heardUpTo?: string } = {},
): Promise<readonly Fields[]> {
  const found: Fields[] = [];
  let cursor = "";
  try {
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await persist(
        () => api.call(method, { ...request, limit: pageSize, ...(cursor === "" ? {} : { cursor }) }),
        signal,
      );
      found.push(...listOf(answer[list]).map(fieldsOf));
      cursor = textOf(fieldsOf(answer["response_metadata"])["next_cursor"]);
      if (cursor === "") return found;
    }
  } catch (reason) {
    signal.throwIfAborted();
    const { code } = GatewayError.from(reason);
    if (code !== "forbidden" && code !== "not_found") throw reason;
    tally.incomplete += 1;
    return found;
  }
  // Newest first: what is left out was heard in its time.
  const isCovered = heardUpTo !== "" && !isLater(textOf(found.at(-1)?.["ts"]), heardUpTo);
  if (!isCovered) tally.incomplete += 1;
  return found;
}

/** Waits out what passes: rate limits, a journal that cannot write just now. */
async function persist<Result>(run: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await run();
    } catch (reason) {
      const { retry } = GatewayError.from(reason);
      const delayMs = retry.kind === "after" ? retry.delayMs : firstDelayMs * 2 ** (tries - 1);
      if (retry.kind === "never" || tries >= mostTries || delayMs > longestWaitMs) throw reason;
      await sleep(delayMs, signal);
    }
  }
}
