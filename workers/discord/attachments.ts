/** Files of messages. Their addresses expire, so a fresh one is asked for with the message. */
import { Routes } from "discord.js";
import type { RunningAdapter } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { downloadToFile } from "../../src/support/download.ts";
import { isLoopback } from "../../src/support/loopback.ts";
import type { DiscordApi } from "./api.ts";
import { childrenOf, textOf } from "./payload.ts";

const hosts: ReadonlySet<string> = new Set(["cdn.discordapp.com", "media.discordapp.net"]);
const timeoutMs = 60_000;

/** @throws {GatewayError} `not_found` when message or file are gone; what downloadToFile throws. */
export async function fetchAttachment(
  api: DiscordApi,
  request: Parameters<NonNullable<RunningAdapter["attachment"]>>[0] & { readonly apiUrl: string },
): Promise<{ readonly sizeBytes: number }> {
  const { ref, path, maxBytes, signal } = request;
  const [channelId, messageId, fileId] = ref.split("/");
  if (channelId === undefined || messageId === undefined || fileId === undefined || !/^\d+\/\d+\/\d+$/u.test(ref))
    throw new GatewayError("not_found", "Cannot fetch the attachment: its ref is none of Discord's");
  const route = Routes.channelMessage(channelId, messageId);
  const message = await api.call({ method: "GET", route, what: "find the attachment", signal });
  const file = childrenOf(message, "attachments").find(({ id }) => id === fileId);
  if (file === undefined)
    throw new GatewayError("not_found", "Cannot fetch the attachment: the message has it no more");
  // Discord itself never serves from this machine; where its API is, its files are too.
  const isLocal = URL.canParse(request.apiUrl) && isLoopback(new URL(request.apiUrl).hostname);
  const isAllowedHost = (host: string): boolean => hosts.has(host) || (isLocal && isLoopback(host));
  return downloadToFile({ url: textOf(file, "url"), headers: {}, isAllowedHost, path, maxBytes, timeoutMs, signal });
}
