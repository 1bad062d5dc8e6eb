/** What chat says, as the gateway's messages: who, where, what, and everything a handler may want to know of it. Pure. */
import type { EmittedMessage } from "../../src/contract/message.ts";
import type { AdmissionPlace } from "../../src/support/admission.ts";
import { channelOf, nickOf, type ChatLine } from "./chat-line.ts";
import { mentions, type BotAccount } from "./mentions.ts";

/** A message, and what decides whether it is heard. */
export type Heard = {
  readonly message: EmittedMessage;
  readonly place: AdmissionPlace;
  /** The sender's, beside the number in `place`. */
  readonly login: string;
  /** What stands there, for whom the message itself has no text. */
  readonly text: string;
};

/** Who wrote a message that is deleted. */
export type KnownSender = { readonly id: string; readonly name: string; readonly isBot: boolean };

const longestQuote = 200;
/** Around what somebody does (`/me waves`) rather than says. */
const actionMark = "\u0001";
const actionStart = `${actionMark}ACTION `;

/**
 * A PRIVMSG; or a USERNOTICE, such as a resubscription, that somebody wrote something to. `newId` is for servers that number
 * no messages. `null`: it has no text.
 */
export function translateMessage(line: ChatLine, bot: BotAccount, newId: () => string): Heard | null {
  const channel = channelOf(line);
  const [, written = ""] = line.params;
  const isAction = written.startsWith(actionStart);
  const text = isAction ? written.slice(actionStart.length).replaceAll(actionMark, "") : written;
  const sender = senderOf(line);
  if (channel === null || sender === null || text === "") return null;
  const id = line.tags.get("id") ?? "";
  const isForBot = mentions(text, bot) || isReplyToBot(line, bot);
  const messageId = id === "" ? newId() : id;
  return {
    text,
    login: sender.login,
    place: placeOf(channel, sender, bot),
    message: {
      id: messageId,
      conversation: channel,
      sender: { id: sender.id, name: sender.name, isBot: sender.isBot },
      text,
      ...timeOf(line),
      routing: { channelIds: [channel], mentionsBot: isForBot, senderLogin: sender.login },
      replyTo: { message_id: messageId },
      metadata: {
        ...messageMetadata(channel, messageId, bot),
        ...senderMetadata(sender, line),
        ...quoteMetadata(line, bot),
        ...noticeMetadata(line),
        twitch_is_action: isAction,
        twitch_mentions_or_replies_to_bot: isForBot,
      },
    },
  };
}

/** A CLEARMSG: one message is gone. `known` is who wrote it, where that was seen; else only a login is. `null`: it names none. */
export function translateDeletion(line: ChatLine, bot: BotAccount, known: KnownSender | undefined): Heard | null {
  const channel = channelOf(line);
  const messageId = line.tags.get("target-msg-id") ?? "";
  const login = (line.tags.get("login") ?? "").toLowerCase();
  if (channel === null || messageId === "") return null;
  const name = login === "" ? "unknown" : login;
  const sender = { id: known?.id ?? name, name: known?.name ?? name, isBot: known?.isBot ?? false, login };
  return {
    text: line.params[1] ?? "",
    login,
    place: placeOf(channel, sender, bot),
    message: {
      id: messageId,
      conversation: channel,
      sender: { id: sender.id, name: sender.name, isBot: sender.isBot },
      text: "",
      kind: "deleted",
      ...timeOf(line),
      routing: { channelIds: [channel], senderLogin: login },
      metadata: { ...messageMetadata(channel, messageId, bot), sender_id: sender.id, twitch_user_login: login },
    },
  };
}

type Sender = KnownSender & { readonly login: string };

/** Somebody is named by tags, or by the line's prefix where a server has none. */
function senderOf(line: ChatLine): Sender | null {
  const { tags } = line;
  // The server speaks a USERNOTICE in its own name.
  const login = (tags.get("login") ?? (line.command === "PRIVMSG" ? nickOf(line) : "")).toLowerCase();
  const id = tags.get("user-id") ?? "";
  if (login === "") return null;
  const displayName = tags.get("display-name") ?? "";
  const isBot = badgesOf(tags).some((badge) => badge.startsWith("bot-badge/"));
  return { id: id === "" ? login : id, name: displayName === "" ? login : displayName, isBot, login };
}

function placeOf(channel: string, { id, login, isBot }: Sender, bot: BotAccount): AdmissionPlace {
  return {
    scope: null,
    channelIds: [channel],
    isDirect: false,
    senderId: id,
    isBot,
    isSelf: login === bot.login || id === bot.userId,
  };
}

function isReplyToBot({ tags }: ChatLine, bot: BotAccount): boolean {
  const login = tags.get("reply-parent-user-login")?.toLowerCase();
  const id = tags.get("reply-parent-user-id");
  return login === bot.login || (id !== undefined && id === bot.userId);
}

function messageMetadata(channel: string, messageId: string, bot: BotAccount): Readonly<Record<string, unknown>> {
  return {
    twitch_channel: channel,
    channel_name: channel,
    twitch_message_id: messageId,
    message_id: messageId,
    twitch_bot_login: bot.login,
  };
}

function senderMetadata(sender: Sender, { tags }: ChatLine): Readonly<Record<string, unknown>> {
  const badges = badgesOf(tags);
  const bits = Number(tags.get("bits") ?? 0);
  return {
    twitch_user_id: sender.id,
    twitch_user_login: sender.login,
    sender_id: sender.id,
    sender_display_name: sender.name,
    sender_is_bot: sender.isBot,
    ...(badges.length === 0 ? {} : { twitch_badges: badges }),
    ...(bits > 0 ? { twitch_bits: bits } : {}),
  };
}

function quoteMetadata({ tags }: ChatLine, bot: BotAccount): Readonly<Record<string, unknown>> {
  const messageId = tags.get("reply-parent-msg-id") ?? "";
  if (messageId === "") return {};
  const login = (tags.get("reply-parent-user-login") ?? "").toLowerCase();
  const displayName = tags.get("reply-parent-display-name") ?? "";
  return {
    reply_to_message_id: messageId,
    reply_to_text: (tags.get("reply-parent-msg-body") ?? "").slice(0, longestQuote).toWellFormed(),
    reply_to_author: displayName === "" ? login : displayName,
    reply_to_username: login,
    reply_to_user_id: tags.get("reply-parent-user-id") ?? "",
    reply_to_is_bot: login === bot.login,
  };
}

/** What happened, where it was more than somebody writing. */
function noticeMetadata({ command, tags }: ChatLine): Readonly<Record<string, unknown>> {
  if (command !== "USERNOTICE") return {};
  return { twitch_notice: tags.get("msg-id") ?? "", twitch_system_message: tags.get("system-msg") ?? "" };
}

function badgesOf(tags: ReadonlyMap<string, string>): readonly string[] {
  return (tags.get("badges") ?? "").split(",").filter((badge) => badge !== "");
}

/** Left out where a server gives no time: then it is now. */
function timeOf({ tags }: ChatLine): { readonly timestamp?: string } {
  const atMs = Number(tags.get("tmi-sent-ts") ?? "");
  return atMs > 0 && atMs <= 8_640_000_000_000_000 ? { timestamp: new Date(atMs).toISOString() } : {};
}
