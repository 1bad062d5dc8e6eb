/** Threads that an answer opens. */
import { ChannelType, Routes } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { splitText } from "../../src/support/split-text.ts";
import { discordCodes, isDiscordError } from "./api-error.ts";
import type { DiscordApi } from "./api.ts";
import { idOf } from "./payload.ts";

const longestName = 100;
/** Minutes without a message after which Discord folds it away. */
const archiveAfterMinutes = 1_440;

/**
 * The thread under a message, or one by itself; `null` where there can be none: in a thread, a direct conversation, or
 * without the permission.
 * @throws {GatewayError} when trying again may help.
 */
export async function openThread(
  api: DiscordApi,
  at: { readonly channelId: string; readonly messageId: string | null; readonly name: string },
): Promise<string | null> {
  const { channelId, messageId } = at;
  const name = splitText(at.name, { limit: longestName })[0] ?? "Thread";
  const settings = { name, auto_archive_duration: archiveAfterMinutes };
  const route = Routes.threads(channelId, messageId ?? undefined);
  const body = messageId === null ? { ...settings, type: ChannelType.PublicThread } : settings;
  try {
    const id = idOf(await api.call({ method: "POST", route, what: "open a thread", body }), "id");
    if (id === null) throw new GatewayError("platform_unavailable", "Cannot open a thread: the answer has no id");
    return id;
  } catch (reason) {
    // A message's thread has the message's id.
    if (messageId !== null && isDiscordError(reason, discordCodes.threadExists)) return messageId;
    const { code, retry } = GatewayError.from(reason);
    if (retry.kind !== "never" || code === "unauthorized") throw reason;
    return null;
  }
}
