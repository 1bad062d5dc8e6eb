/** Whom an adapter hears and where: one rule for messages, commands, buttons and reactions alike. */
import type { Policy } from "../contract/adapter.ts";

/** Where something happened and who did it. */
export type AdmissionPlace = {
  /** The guild, workspace or chat; `null` where the platform has none. Its kind says which filter counts. */
  readonly scope: { readonly kind: "guildId" | "workspaceId" | "chatId"; readonly id: string } | null;
  /** The channel, then its parent for a thread: either one being allowed is enough. */
  readonly channelIds: readonly string[];
  readonly isDirect: boolean;
  readonly senderId: string;
  readonly isBot: boolean;
  /** The adapter's own account, as it acts under this connection. */
  readonly isSelf: boolean;
};

/**
 * Whether `policy` lets it through. Never what the bot did itself; other bots only where they are allowed. A direct
 * message is decided by who wrote it alone: only by somebody on the list, or anybody where the list has `*`. Elsewhere
 * the scope and then the channel must pass their filters.
 */
export function admits(policy: Policy, place: AdmissionPlace): boolean {
  if (place.isSelf || (place.isBot && !policy.allowBotMessages)) return false;
  if (place.isDirect) return isListed(policy.dmAllowedUsers, place.senderId);
  return admitsScope(policy, place.scope) && admitsChannel(policy, place);
}

function admitsScope(policy: Policy, scope: AdmissionPlace["scope"]): boolean {
  // What belongs to no scope passes no filter of scopes.
  if (scope === null)
    return policy.guildFilter === null && policy.workspaceFilter === null && policy.chatFilter === null;
  const filter = filterOf(policy, scope.kind);
  return filter === null || isListed(filter, scope.id);
}

function filterOf(policy: Policy, kind: "guildId" | "workspaceId" | "chatId"): readonly string[] | null {
  switch (kind) {
    case "guildId":
      return policy.guildFilter;
    case "workspaceId":
      return policy.workspaceFilter;
    case "chatId":
      return policy.chatFilter;
  }
}

function admitsChannel({ channelFilter }: Policy, { scope, channelIds }: AdmissionPlace): boolean {
  const own = scope !== null && Object.hasOwn(channelFilter, scope.id) ? channelFilter[scope.id] : undefined;
  const list = own ?? channelFilter[""];
  return list === undefined || list.includes("*") || channelIds.some((id) => list.includes(id));
}

function isListed(list: readonly string[], id: string): boolean {
  return list.includes("*") || list.includes(id);
}
