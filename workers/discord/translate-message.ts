/** Discord's messages as ours, and back into what a history shows. Pure. */
import { MessageType } from "discord.js";
import type { Attachment, EmittedMessage, HistoryMessage, MessageKind, Routing } from "../../src/contract/message.ts";
import type { AdmissionPlace } from "../../src/support/admission.ts";
import { splitText } from "../../src/support/split-text.ts";
import type { Channel } from "./directory.ts";
import { childOf, childrenOf, idOf, numberOf, textOf, type Payload } from "./payload.ts";

/** Where something happened, and who we are there. */
export type Surroundings = {
  readonly selfId: string;
  readonly channel: Channel;
  readonly guildName: string | null;
};

/** A message before it is known whether the policy lets it through. */
export type Candidate = { readonly message: EmittedMessage; readonly place: AdmissionPlace };

/** What people write; all other types are announcements of Discord's own. */
const writtenTypes: ReadonlySet<number> = new Set([MessageType.Default, MessageType.Reply]);
const longestQuote = 200;

/** A message as written (`text`, `media`) or as `edited`; `null` for what nobody wrote. */
export function translateMessage(data: Payload, around: Surroundings, isEdit = false): Candidate | null {
  const id = idOf(data, "id");
  const author = childOf(data, "author");
  const senderId = author === null ? null : idOf(author, "id");
  if (id === null || author === null || senderId === null || !writtenTypes.has(numberOf(data, "type") ?? 0))
    return null;
  const editedAt = textOf(data, "edited_timestamp");
  // Discord also tells of an update when it has looked at a link, or when the message was pinned.
  if (isEdit && editedAt === "") return null;
  const place = placeOf(around, { senderId, isBot: isBot(data, author) });
  const name = displayName(author, childOf(data, "member"));
  const attachments = readAttachments(data, around.channel.id, id);
  const kind: MessageKind = isEdit ? "edited" : attachments.length > 0 ? "media" : "text";
  const metadata = messageMetadata(data, around, { author, name, isBot: place.isBot });
  return {
    place,
    message: {
      id,
      conversation: conversationOf(place, around.channel),
      sender: { id: senderId, name, isBot: place.isBot },
      text: readText(data),
      kind,
      attachments,
      metadata,
      timestamp: timestampOf(isEdit ? editedAt : textOf(data, "timestamp")),
      ...(isEdit ? { revision: editedAt } : {}),
      routing: routingOf(place, metadata["discord_mentions_or_replies_to_bot"] === true),
      replyTo: { messageId: id, channelId: around.channel.id },
    },
  };
}

/** Where and by whom, for the policy. */
export function placeOf(
  { selfId, channel }: Surroundings,
  sender: { readonly senderId: string; readonly isBot: boolean },
): AdmissionPlace {
  const { guildId, parentId } = channel;
  return {
    scope: guildId === null ? null : { kind: "guildId", id: guildId },
    channelIds: parentId === null ? [channel.id] : [channel.id, parentId],
    isDirect: guildId === null,
    senderId: sender.senderId,
    isBot: sender.isBot,
    isSelf: sender.senderId === selfId,
  };
}

/** A channel is its own conversation; a direct one is known by who is at its other end. */
export function conversationOf(place: AdmissionPlace, channel: Channel): string {
  return place.isDirect ? `dm:${channel.recipientId ?? place.senderId}` : channel.id;
}

/** What bindings are matched on. */
export function routingOf(place: AdmissionPlace, isAddressed: boolean): Routing {
  return {
    ...(place.scope === null ? {} : { guildId: place.scope.id }),
    channelIds: place.channelIds,
    isDirect: place.isDirect,
    mentionsBot: isAddressed || place.isDirect,
  };
}

/** What every event says of its place. */
export function placeMetadata({ channel, guildName }: Surroundings): Readonly<Record<string, unknown>> {
  return {
    discord_channel_id: channel.id,
    discord_guild_id: channel.guildId,
    discord_guild_name: guildName,
    server_name: guildName,
    discord_channel_name: channel.name,
    channel_name: channel.name,
    discord_is_thread: channel.isThread,
    discord_parent_channel_id: channel.parentId,
  };
}

/** Nickname, else the name for people, else the account's. */
export function displayName(user: Payload, member: Payload | null): string {
  const nick = member === null ? "" : textOf(member, "nick");
  return nick || textOf(user, "global_name") || textOf(user, "username") || (idOf(user, "id") ?? "unknown");
}

/** As `context.history` gives it. */
export function toHistoryMessage(data: Payload): HistoryMessage {
  const author = childOf(data, "author") ?? {};
  return {
    author: displayName(author, childOf(data, "member")),
    text: readText(data),
    isBot: isBot(data, author),
    timestamp: textOf(data, "timestamp") || null,
  };
}

/** The files of a message; `ref` is where to find a fresh address, since Discord's expire. */
function readAttachments(data: Payload, channelId: string, messageId: string): readonly Attachment[] {
  return childrenOf(data, "attachments").map((file) => ({
    filename: textOf(file, "filename") || "file",
    mimeType: textOf(file, "content_type") || "application/octet-stream",
    url: textOf(file, "url") || null,
    sizeBytes: numberOf(file, "size"),
    ref: `${channelId}/${messageId}/${idOf(file, "id") ?? "0"}`,
  }));
}

function messageMetadata(
  data: Payload,
  around: Surroundings,
  sender: { readonly author: Payload; readonly name: string; readonly isBot: boolean },
): Readonly<Record<string, unknown>> {
  const senderId = idOf(sender.author, "id");
  const replied = childOf(data, "referenced_message");
  const repliedAuthor = replied === null ? null : childOf(replied, "author");
  const isMentioned = childrenOf(data, "mentions").some((user) => user["id"] === around.selfId);
  const isReplyToBot = repliedAuthor !== null && repliedAuthor["id"] === around.selfId;
  return {
    ...placeMetadata(around),
    discord_message_id: idOf(data, "id"),
    sender_id: senderId,
    discord_author_name: textOf(sender.author, "username") || sender.name,
    discord_user_mention: `<@${senderId}>`,
    sender_display_name: sender.name,
    formatted_author: `${sender.name} (<@${senderId}>)`,
    sender_is_bot: sender.isBot,
    ...(replied === null || repliedAuthor === null ? {} : quoteMetadata(replied, repliedAuthor)),
    discord_mentioned_bot: isMentioned,
    discord_reply_to_bot: isReplyToBot,
    discord_mentions_or_replies_to_bot: isMentioned || isReplyToBot,
  };
}

function quoteMetadata(replied: Payload, author: Payload): Readonly<Record<string, unknown>> {
  const text = withNames(textOf(replied, "content"), replied);
  const [start = ""] = splitText(text, { limit: longestQuote });
  const quote = text.length > longestQuote ? `${start}...` : text;
  return {
    reply_to_author: displayName(author, childOf(replied, "member")),
    reply_to_is_bot: isBot(replied, author),
    reply_to_content: quote,
    reply_to_text: quote,
  };
}

/** What a message says; one that was forwarded says it in a copy. */
function readText(data: Payload): string {
  const own = textOf(data, "content");
  if (own !== "") return withNames(own, data);
  const [snapshot] = childrenOf(data, "message_snapshots");
  const forwarded = snapshot === undefined ? null : childOf(snapshot, "message");
  return forwarded === null ? "" : withNames(textOf(forwarded, "content"), forwarded);
}

/** `<@42>` as `@Ann`. What is written in code is meant to be read as it is, but Discord notifies there too. */
function withNames(text: string, data: Payload): string {
  if (!text.includes("<@")) return text;
  const names = new Map(
    childrenOf(data, "mentions").map((user) => [textOf(user, "id"), displayName(user, childOf(user, "member"))]),
  );
  return text.replace(/<@!?(?<id>\d{1,20})>/gu, (mention, id: string) => {
    const name = names.get(id);
    return name === undefined ? mention : `@${name}`;
  });
}

function isBot(data: Payload, author: Payload): boolean {
  return author["bot"] === true || idOf(data, "webhook_id") !== null;
}

function timestampOf(text: string): string {
  const atMs = Date.parse(text);
  return new Date(Number.isFinite(atMs) ? atMs : Date.now()).toISOString();
}
