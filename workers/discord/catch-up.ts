/** What was written while nobody listened, read from the channels' histories: bounded in channels, messages and time. */
import { Routes } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { deadline } from "../../src/support/deadline.ts";
import type { DiscordApi } from "./api.ts";
import type { Channel, Directory } from "./directory.ts";
import { idOf, isNewer, snowflakeAt, type Payload } from "./payload.ts";
import type { ResumeKeeper } from "./resume-keeper.ts";

/** What a catch-up works with. */
export type CatchUpParts = {
  readonly api: DiscordApi;
  readonly directory: Directory;
  readonly keeper: ResumeKeeper;
  /** Takes messages of one channel, oldest first; resolves when they are on disk. */
  readonly accept: (messages: readonly Payload[], channel: Channel) => Promise<void>;
  readonly signal: AbortSignal;
};

/** How it went. `isComplete`: nothing that was written can be missing. */
export type CaughtUp = { readonly isComplete: boolean; readonly messages: number; readonly channels: number };

const mostChannels = 50;
const pageSize = 100;
const mostPages = 2;
const longestMs = 20_000;

/** Reads what each channel got since it was last heard. Never rejects; what it could not read shows in the result. */
export async function catchUp(parts: CatchUpParts, sinceMs: number): Promise<CaughtUp> {
  const error = new GatewayError("timeout", "Catching up took too long");
  using late = deadline(longestMs, { error, signal: parts.signal });
  const { signal } = late;
  const places = placesToRead(parts, snowflakeAt(sinceMs));
  const chosen = places.slice(0, mostChannels);
  let isComplete = places.length === chosen.length;
  let messages = 0;
  for (const { channelId, after: sinceId } of chosen) {
    try {
      const read = await readChannel(parts, { channelId, sinceId, signal });
      messages += read.messages;
      isComplete &&= read.isComplete;
    } catch (reason) {
      const { code } = GatewayError.from(reason);
      // A channel that is gone, or not ours to read, has nothing that we could have heard.
      if (code !== "not_found" && code !== "forbidden") isComplete = false;
    }
  }
  return { isComplete, messages, channels: chosen.length };
}

type Place = { readonly channelId: string; readonly after: string; readonly newest: string };

/** Channels with something new in them, the busiest lately first. A channel that nobody told of is read to be sure. Pure. */
function placesToRead({ directory, keeper }: CatchUpParts, since: string): readonly Place[] {
  const places = new Map<string, Place>();
  const add = (channelId: string, newest: string | null): void => {
    const last = keeper.lastMessage(channelId);
    const start = last !== null && isNewer(last, since) ? last : since;
    if (newest === null || isNewer(newest, start))
      places.set(channelId, { channelId, after: start, newest: newest ?? start });
  };
  const told = new Set<string>();
  for (const { id, guildId, lastMessageId } of directory.channels()) {
    if (guildId === null) continue;
    told.add(id);
    if (lastMessageId !== null) add(id, lastMessageId);
  }
  for (const [channelId] of keeper.directChannels) add(channelId, null);
  for (const channelId of keeper.messageChannels) if (!told.has(channelId)) add(channelId, null);
  return [...places.values()].toSorted((left, right) => (isNewer(left.newest, right.newest) ? -1 : 1));
}

async function readChannel(
  { api, directory, accept }: CatchUpParts,
  at: { readonly channelId: string; readonly sinceId: string; readonly signal: AbortSignal },
): Promise<{ readonly isComplete: boolean; readonly messages: number }> {
  const { channelId, signal } = at;
  let { sinceId } = at;
  let messages = 0;
  for (let page = 0; page < mostPages; page += 1) {
    signal.throwIfAborted();
    const query = new URLSearchParams({ after: sinceId, limit: String(pageSize) });
    const route = Routes.channelMessages(channelId);
    const found = await api.list({ method: "GET", route, what: "read what was missed", query, signal });
    // Discord gives the newest first.
    const oldestFirst = found.filter((message) => idOf(message, "id") !== null).toReversed();
    if (oldestFirst.length > 0) {
      const channel = await directory.resolve(channelId, null);
      // A history does not say where it is: what belongs to a guild must not pass for a direct message.
      if (channel.guildId === null && channel.recipientId === null) return { isComplete: false, messages };
      await accept(oldestFirst, channel);
    }
    messages += oldestFirst.length;
    sinceId = idOf(oldestFirst.at(-1) ?? {}, "id") ?? sinceId;
    if (found.length < pageSize) return { isComplete: true, messages };
  }
  return { isComplete: false, messages };
}
