/** What one adapter lets through, from its own table and from the bindings that name it. Pure; the adapters enforce it. */
import type { Policy } from "../contract/adapter.ts";
import type { AdapterConfig } from "../contract/config.ts";
import type { Binding } from "../contract/spec.ts";

type ScopeName = "guildId" | "workspaceId" | "chatId" | "teamId";
type Filtering = { readonly scope: ScopeName | null; readonly hasChannels: boolean };

const scopeNames: readonly ScopeName[] = ["guildId", "workspaceId", "chatId", "teamId"];

/** What a binding can narrow down on each platform; on the rest it only chooses the consumer. */
const filteringByPlatform: Readonly<Record<string, Filtering>> = {
  discord: { scope: "guildId", hasChannels: true },
  slack: { scope: "workspaceId", hasChannels: true },
  telegram: { scope: "chatId", hasChannels: false },
  twitch: { scope: null, hasChannels: true },
};

/**
 * The policy of `adapter`. Only bindings for its platform and its selector count (no `adapter`: the default instance).
 * Filters are what the bindings name, together; a binding that leaves a filter out widens it to all, because it would
 * match such messages. Bindings' DM lists add to the adapter's own.
 */
export function derivePolicy(
  adapter: Pick<AdapterConfig, "key" | "platform" | "policy">,
  bindings: readonly Binding[],
): Policy {
  const own = bindings.filter(
    (binding) => binding.channel === adapter.platform && binding.adapter === instanceName(adapter.key),
  );
  const normalise = adapter.platform === "twitch" ? twitchLogin : trimmed;
  const filtering = Object.hasOwn(filteringByPlatform, adapter.platform) ? filteringByPlatform[adapter.platform] : null;
  const matching = filtering ? own.filter((binding) => canMatch(binding, filtering)) : [];
  const scopeFilter = filtering?.scope ? scopesOf(matching, filtering.scope) : null;
  return {
    ...adapter.policy,
    commands: [],
    guildFilter: filtering?.scope === "guildId" ? scopeFilter : null,
    workspaceFilter: filtering?.scope === "workspaceId" ? scopeFilter : null,
    chatFilter: filtering?.scope === "chatId" ? scopeFilter : null,
    channelFilter: filtering?.hasChannels ? channelsOf(matching, filtering.scope, normalise) : {},
    dmAllowedUsers: userList(
      [...adapter.policy.dmAllowedUsers, ...own.flatMap((binding) => binding.dmAllowedUsers)].map(normalise),
    ),
    allowedSenders: sortedUnique(adapter.policy.allowedSenders),
  };
}

/** `ops` of `discord:ops`; `null` for the default instance. */
function instanceName(key: string): string | null {
  const separator = key.indexOf(":");
  return separator === -1 ? null : key.slice(separator + 1);
}

/** A binding that names another platform's scope matches no message of this one, so it must not narrow anything either. */
function canMatch(binding: Binding, filtering: Filtering): boolean {
  const isForeign = scopeNames.some((name) => name !== filtering.scope && binding[name] !== null);
  return !isForeign && (filtering.hasChannels || binding.channelIds.length === 0);
}

function scopesOf(bindings: readonly Binding[], scope: ScopeName): readonly string[] | null {
  const ids = bindings.map((binding) => binding[scope]);
  const named = ids.filter((id) => id !== null);
  return ids.length === 0 || named.length < ids.length ? null : sortedUnique(named);
}

/** Channels by scope. A scope that one binding opens whole has no list, whatever others name in it. */
function channelsOf(
  bindings: readonly Binding[],
  scope: ScopeName | null,
  normalise: (id: string) => string,
): Readonly<Record<string, readonly string[]>> {
  const byScope = Map.groupBy(bindings, (binding) => (scope === null ? "" : (binding[scope] ?? "")));
  const listOf = (id: string): readonly string[] | "all" | null => {
    const group = byScope.get(id);
    if (group === undefined) return null;
    if (group.some((binding) => binding.channelIds.length === 0)) return "all";
    return group.flatMap((binding) => binding.channelIds).map(normalise);
  };
  const everywhere = listOf("");
  if (everywhere === "all") return {};
  const entries = [...byScope.keys()].flatMap((id): [string, readonly string[]][] => {
    const list = listOf(id);
    if (list === null) return [];
    // Without an entry of its own the scope would fall back to the list for everywhere.
    if (list === "all") return everywhere === null ? [] : [[id, ["*"]]];
    return [[id, sortedUnique([...list, ...(everywhere ?? [])])]];
  });
  return Object.fromEntries(entries);
}

function userList(users: readonly string[]): readonly string[] {
  return users.includes("*") ? ["*"] : sortedUnique(users);
}

function sortedUnique(items: readonly string[]): readonly string[] {
  return [...new Set(items)].sort();
}

function trimmed(text: string): string {
  return text.trim();
}

/** Twitch compares logins without case, and `#room` is written as often as `room`. */
function twitchLogin(text: string): string {
  return text.trim().replace(/^#/u, "").toLowerCase();
}
