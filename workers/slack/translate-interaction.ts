/** Commands, clicks, forms and shortcuts as the gateway's messages. Pure. */
import type { CommandDeclaration } from "../../src/contract/command.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import type { SlashCommand, Interaction } from "./interaction.ts";
import { isDirectChannel, placeMetadata, replyTo, type Details } from "./translate-post.ts";

/** The address of somebody's direct messages, where only the person is known. */
export function directAddress(user: string): string {
  return `dm:${user}`;
}

/** One deed. Without a channel it belongs to the direct messages of who did it. */
export function translateInteraction(deed: Interaction, details: Details): EmittedMessage {
  const name = details.sender?.display ?? (deed.userName || deed.user);
  const hasChannel = deed.channel !== "";
  return {
    id: deed.id,
    conversation: hasChannel ? deed.channel : directAddress(deed.user),
    kind: deed.kind,
    sender: { id: deed.user, name, isBot: false },
    text: deed.text,
    metadata: {
      ...(hasChannel ? placeMetadata(deed, details) : { slack_workspace_id: details.teamId }),
      slack_user_id: deed.user,
      sender_id: deed.user,
      slack_user_mention: `<@${deed.user}>`,
      sender_display_name: name,
      sender_username: details.sender?.login ?? deed.userName,
      slack_mentions_or_replies_to_bot: true,
      ...deed.metadata,
    },
    routing: {
      workspaceId: details.teamId,
      channelIds: hasChannel ? [deed.channel] : [],
      isDirect: !hasChannel || isDirectChannel(deed.channel),
      mentionsBot: true,
    },
    replyTo: replyTo({
      channel: deed.channel,
      ts: deed.ts,
      thread_ts: deed.threadTs,
      user: deed.user,
      trigger: deed.trigger,
    }),
  };
}

/** The declared command that a slash command means, itself or by its first word; `null`: none of them. */
export function resolveCommand(command: SlashCommand, declared: readonly CommandDeclaration[]): SlashCommand | null {
  if (declared.length === 0 || declared.some(({ name }) => name === command.name)) return command;
  const [word = "", ...rest] = command.rest.split(/\s+/u);
  const wanted = word.toLowerCase();
  return declared.some(({ name }) => name === wanted) ? { name: wanted, rest: rest.join(" ") } : null;
}

/** What can be typed after `/command`. */
export function usageText(command: SlashCommand, declared: readonly CommandDeclaration[]): string {
  const lines = declared.map(({ name, description }) => `• \`/${command.name} ${name}\`: ${description}`);
  return [`Commands of /${command.name}:`, ...lines].join("\n");
}
