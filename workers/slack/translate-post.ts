/** Messages, edits, deletions and reactions as the gateway's messages. Pure: every name is handed in. */
import type { EmittedMessage, ReplyTo } from "../../src/contract/message.ts";
import { emojiOfName } from "../../src/support/emoji.ts";
import type { Identity } from "./api.ts";
import type { UserName } from "./directory.ts";
import { mentions, readableText, withoutLeadingMention } from "./message-text.ts";
import { timeOf, type Post, type Reaction } from "./post.ts";

/** What had to be asked for one message. `null`: not known. */
export type Details = {
  readonly identity: Identity;
  /** The workspace it happened in. */
  readonly teamId: string;
  readonly sender: UserName | null;
  readonly channelName: string | null;
  readonly threadAuthor: string | null;
  readonly nameOf: (userId: string) => string | null;
};

/** A direct message's channel. */
export function isDirectChannel(channel: string): boolean {
  return channel.startsWith("D");
}

/** One message in a channel. The same post has the same id whichever event told of it. */
export function translatePost(post: Post, details: Details): EmittedMessage {
  const { identity } = details;
  const isForBot =
    mentions(post.text, identity.userId) || (post.threadTs !== "" && details.threadAuthor === identity.userId);
  const senderId = post.user || post.botId || "unknown";
  return {
    id: post.ts,
    conversation: post.channel,
    kind: post.kind === "posted" ? (post.files.length > 0 ? "media" : "text") : post.kind,
    sender: { id: senderId, name: details.sender?.display ?? senderId, isBot: post.botId !== "" },
    text: readableText(withoutLeadingMention(post.text, identity.userId), details.nameOf),
    attachments: post.files.map((file) => ({
      filename: file.name.slice(0, 255),
      mimeType: file.mimeType,
      url: file.url,
      sizeBytes: file.sizeBytes,
      ref: file.id,
    })),
    metadata: {
      ...placeMetadata(post, details),
      ...(post.kind === "edited" ? { slack_edited_ts: post.revision } : {}),
      slack_user_id: senderId,
      sender_id: senderId,
      slack_user_mention: `<@${senderId}>`,
      sender_display_name: details.sender?.display ?? senderId,
      sender_username: details.sender?.login ?? senderId,
      slack_mentions_or_replies_to_bot: isForBot,
    },
    timestamp: timeOf(post.kind === "posted" ? post.ts : post.revision),
    ...(post.revision === "" ? {} : { revision: post.revision }),
    routing: routingOf(post.channel, details.teamId, isForBot),
    replyTo: replyTo({ channel: post.channel, ts: post.ts, thread_ts: post.threadTs, user: senderId }),
  };
}

/** One reaction; its text is the emoji, or Slack's name of one that is the workspace's own. */
export function translateReaction(reaction: Reaction, details: Details): EmittedMessage {
  const { identity, sender } = details;
  const action = reaction.isAdded ? "added" : "removed";
  const isForBot = reaction.itemUser === identity.userId;
  return {
    id: reaction.ts,
    conversation: reaction.channel,
    kind: "reaction",
    sender: { id: reaction.user, name: sender?.display ?? reaction.user, isBot: false },
    text: emojiOfName(reaction.name) ?? `:${reaction.name}:`,
    metadata: {
      ...placeMetadata({ ...reaction, threadTs: "" }, details),
      slack_user_id: reaction.user,
      sender_id: reaction.user,
      slack_user_mention: `<@${reaction.user}>`,
      sender_display_name: sender?.display ?? reaction.user,
      sender_username: sender?.login ?? reaction.user,
      slack_reaction: reaction.name,
      reaction_action: action,
      slack_item_user_id: reaction.itemUser,
      slack_mentions_or_replies_to_bot: isForBot,
    },
    timestamp: timeOf(reaction.eventTs || reaction.ts),
    // Taken back and given again it is another one.
    revision: `${reaction.user}:${reaction.name}:${action}:${reaction.eventTs}`,
    routing: routingOf(reaction.channel, details.teamId, isForBot),
    replyTo: replyTo({ channel: reaction.channel, ts: reaction.ts, user: reaction.user }),
  };
}

/** What bindings are matched on. */
export function routingOf(
  channel: string,
  teamId: string,
  mentionsBot: boolean,
): NonNullable<EmittedMessage["routing"]> {
  return { workspaceId: teamId, channelIds: [channel], isDirect: isDirectChannel(channel), mentionsBot };
}

/** The members that say something. */
export function replyTo(members: Readonly<Record<string, string>>): ReplyTo {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== "" && value.length <= 256));
}

/** Where it happened, under the names that handlers know. */
export function placeMetadata(
  place: { readonly channel: string; readonly ts: string; readonly threadTs: string },
  details: Details,
): Readonly<Record<string, unknown>> {
  const { identity, channelName } = details;
  const name = channelName === null || channelName === "" ? null : channelName;
  return {
    slack_workspace_id: details.teamId,
    ...(identity.teamName === "" ? {} : { server_name: identity.teamName }),
    slack_channel_id: place.channel,
    ...(name === null ? {} : { slack_channel_name: name }),
    channel_name: name === null ? (details.sender?.display ?? place.channel) : `#${name}`,
    ...(place.ts === "" ? {} : { slack_message_ts: place.ts }),
    ...(place.threadTs === "" ? {} : { slack_thread_ts: place.threadTs, reply_to_message_id: place.threadTs }),
  };
}
