/** Whom the policy lets through, by what Slack says of them. Pure. */
import type { Policy } from "../../src/contract/adapter.ts";
import { admits } from "../../src/support/admission.ts";
import type { Identity } from "./api.ts";
import type { Post } from "./post.ts";
import { isDirectChannel } from "./translate-post.ts";

/** Who did something where. `""`: in no channel; in the bot's own workspace. */
export type Deed = { readonly channel: string; readonly user: string; readonly teamId: string };

type Around = { readonly policy: Policy; readonly identity: Identity };

/** Whether the bot itself wrote it. */
export function isOwn({ user, botId }: Post, identity: Identity): boolean {
  return user === identity.userId || (botId !== "" && botId === identity.botId);
}

/** Whether a message of workspace `teamId` is heard, whatever became of it. */
export function admitsPost(post: Post, teamId: string, around: Around): boolean {
  const { channel, user, botId } = post;
  const place = placeOf({ channel, user: user || botId, teamId }, around.identity);
  return admits(around.policy, { ...place, isBot: botId !== "", isSelf: isOwn(post, around.identity) });
}

/** Whether a command, click or reaction is heard. Only people do such things, and the bot itself. */
export function admitsDeed(deed: Deed, { policy, identity }: Around): boolean {
  return admits(policy, { ...placeOf(deed, identity), isBot: false, isSelf: deed.user === identity.userId });
}

function placeOf(
  { channel, user, teamId }: Deed,
  identity: Identity,
): Omit<Parameters<typeof admits>[1], "isBot" | "isSelf"> {
  return {
    scope: { kind: "workspaceId", id: teamId || identity.teamId },
    channelIds: channel === "" ? [] : [channel],
    isDirect: channel === "" || isDirectChannel(channel),
    senderId: user,
  };
}
