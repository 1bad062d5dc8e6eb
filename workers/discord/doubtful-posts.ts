/** What of a send is in its channel already, when its answer was lost with an earlier life of the adapter. */
import { Routes } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { untoldSend } from "../../src/support/untold-send.ts";
import type { DiscordApi } from "./api.ts";
import type { MessageBody } from "./interactions.ts";
import { childOf, idOf, isNewer, snowflakeAt, textOf, type Payload } from "./payload.ts";

const pageMessages = 100;
const mostPages = 5;
/** Clocks differ a little. More would take an earlier message with the same text for the one that is looked for. */
const clockSkewMs = 5_000;

/** One part of a send: what it shows, and the name that Discord knows it by. */
export type DoubtfulPart = { readonly body: MessageBody; readonly nonce: string };

/** Where it went, by whom, and since when it may be there. */
export type PlaceOfSend = { readonly channelId: string; readonly userId: string; readonly sinceMs: number };

/**
 * The ids of the parts that are there, the first ones in order. Where Discord gives no nonces back a part is known by its
 * text, as long as it has nothing else; one that shows nothing we could know it by must not be taken for lost.
 * @throws {GatewayError} `timeout` with retry `never` where it cannot be told.
 */
export async function findPosted(
  api: DiscordApi,
  place: PlaceOfSend,
  parts: readonly DoubtfulPart[],
): Promise<readonly string[]> {
  const { own: candidates, hasNonces } = await readBack(api, place);
  let own = candidates;
  const found: string[] = [];
  for (const part of parts) {
    const index = own.findIndex((message) => isPart(message, part, hasNonces));
    const id = idOf(own[index] ?? {}, "id");
    if (id === null) {
      if (own.length > 0 && !hasNonces && !isTextOnly(part.body))
        throw untoldSend("one of our messages since may be it");
      return found;
    }
    found.push(id);
    own = own.slice(index + 1);
  }
  return found;
}

/**
 * Ours, oldest first, back to the send. The clock that it was handed over by may have been put since: the newest page is read
 * whatever it says, and a nonce counts wherever it stands; without one only what was said since can be it.
 */
async function readBack(
  api: DiscordApi,
  { channelId, userId, sinceMs }: PlaceOfSend,
): Promise<{ readonly own: readonly Payload[]; readonly hasNonces: boolean }> {
  const since = snowflakeAt(sinceMs - clockSkewMs);
  const messages: Payload[] = [];
  for (let page = 0; ; page += 1) {
    if (page === mostPages) throw untoldSend(`more than ${mostPages * pageMessages} messages were posted since`);
    const query = new URLSearchParams({ limit: String(pageMessages) });
    const oldest = idOf(messages.at(-1) ?? {}, "id");
    if (oldest !== null) query.set("before", oldest);
    const found = await listOrUntold(api, channelId, query);
    messages.push(...found);
    if (found.length < pageMessages || !isNewer(idOf(found.at(-1) ?? {}, "id") ?? "", since)) break;
  }
  const own = messages.filter((message) => isBy(message, userId)).toReversed();
  const hasNonces = own.some((message) => textOf(message, "nonce") !== "");
  return { own: hasNonces ? own : own.filter((message) => isNewer(idOf(message, "id") ?? "", since)), hasNonces };
}

async function listOrUntold(api: DiscordApi, channelId: string, query: URLSearchParams): Promise<readonly Payload[]> {
  try {
    return await api.list({ method: "GET", route: Routes.channelMessages(channelId), what: "read the history", query });
  } catch (reason) {
    const error = GatewayError.from(reason);
    // Without the right to read it the history tells nothing; an outage passes.
    throw error.retry.kind === "never" ? untoldSend(error.message) : error;
  }
}

function isPart(message: Payload, { body, nonce }: DoubtfulPart, hasNonces: boolean): boolean {
  if (hasNonces) return textOf(message, "nonce") === nonce;
  return isTextOnly(body) && textOf(message, "content").trim() === String(body.fields["content"]).trim();
}

function isTextOnly({ fields, files }: MessageBody): boolean {
  const isPlain = fields["embeds"] === undefined && fields["components"] === undefined && fields["poll"] === undefined;
  return isPlain && files.length === 0 && typeof fields["content"] === "string";
}

function isBy(message: Payload, userId: string): boolean {
  return idOf(childOf(message, "author") ?? {}, "id") === userId;
}
