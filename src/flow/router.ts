/** Which consumer a message goes to: the bindings in their order, then the default. Pure, and read for every message. */
import type { RouterStamp } from "../contract/delivery.ts";
import type { RoutingHeader } from "../contract/message.ts";
import type { Binding, RouterSpec } from "../contract/spec.ts";

/** Where a message came from. `platform` is the runtime key up to its first colon. */
export type RouteSource = { readonly key: string; readonly platform: string };

/** Where a message goes. `binding` is the first one that matched, for its settings and authority; `null`: none did. */
export type Route =
  | { readonly kind: "deliver"; readonly consumer: string; readonly binding: Binding | null }
  /** The binding that matched wants the bot mentioned. It does not fall through to a later one. */
  | { readonly kind: "drop"; readonly reason: "not_mentioned" };

/** The source a runtime key stands for: `discord:ops` is the platform `discord`. */
export function routeSource(key: string): RouteSource {
  const colon = key.indexOf(":");
  return { key, platform: colon === -1 ? key : key.slice(0, colon) };
}

/**
 * The consumer of one message. The first binding that matches wins. `consumers`: the configured names; a message that
 * asks for one of them by name gets it, and its binding is only looked up.
 */
export function route(
  header: RoutingHeader,
  source: RouteSource,
  router: RouterSpec,
  consumers: ReadonlySet<string>,
): Route {
  const binding = firstMatch(header, source, router.bindings);
  const asked = header.routing.consumer;
  if (asked !== undefined && consumers.has(asked)) return { kind: "deliver", consumer: asked, binding };
  if (binding === null) return { kind: "deliver", consumer: router.defaultConsumer, binding };
  if (binding.requireMention && header.routing.isDirect !== true && header.routing.mentionsBot !== true)
    return { kind: "drop", reason: "not_mentioned" };
  return { kind: "deliver", consumer: binding.consumer, binding };
}

/**
 * What the bindings and `authority` lists say of one message. The binding's list counts, where it has none the
 * adapter's; an empty one is open to all.
 */
export function stampOf(header: RoutingHeader, source: RouteSource, router: RouterSpec): RouterStamp {
  const binding = firstMatch(header, source, router.bindings);
  const list = binding?.authority ?? ownAuthority(router, source.key);
  const senderIsAuthority = list.length === 0 || list.some((entry) => isSender(entry, header, source));
  return {
    senderIsAuthority,
    bindingSettings: binding === null || isEmpty(binding.settings) ? null : binding.settings,
  };
}

/** `router` with only the bindings that can match `source`: what is scanned for each of its messages. */
export function narrowRouter(router: RouterSpec, source: RouteSource): RouterSpec {
  return { ...router, bindings: router.bindings.filter((binding) => isForSource(binding, source)) };
}

const noList: readonly string[] = [];

function ownAuthority({ adapterAuthority }: RouterSpec, key: string): readonly string[] {
  return Object.hasOwn(adapterAuthority, key) ? (adapterAuthority[key] ?? noList) : noList;
}

/** Twitch numbers its users and lists name them, in whatever case. */
function isSender(entry: string, { senderId, routing }: RoutingHeader, source: RouteSource): boolean {
  if (entry === "*" || entry === senderId) return true;
  return source.platform === "twitch" && routing.senderLogin?.toLowerCase() === entry.toLowerCase();
}

function isEmpty(table: Readonly<Record<string, unknown>>): boolean {
  for (const _ in table) return false;
  return true;
}

function firstMatch(header: RoutingHeader, source: RouteSource, bindings: readonly Binding[]): Binding | null {
  for (const binding of bindings) if (isForSource(binding, source) && matches(binding, header, source)) return binding;
  return null;
}

/** A binding without `adapter` is for the default instance only, one with it for that instance only. */
function isForSource(binding: Binding, source: RouteSource): boolean {
  if (binding.channel !== source.platform) return false;
  const instance = source.key === source.platform ? null : source.key.slice(source.platform.length + 1);
  return binding.adapter === instance;
}

function matches(binding: Binding, header: RoutingHeader, source: RouteSource): boolean {
  const routing = header.routing;
  // A Discord DM belongs to no guild, so only who wrote it can decide; a list allows its people, no other field counts.
  if (source.platform === "discord" && routing.isDirect === true)
    return binding.dmAllowedUsers.includes(header.senderId) || binding.dmAllowedUsers.includes("*");
  if (binding.guildId !== null && binding.guildId !== routing.guildId) return false;
  if (binding.workspaceId !== null && binding.workspaceId !== routing.workspaceId) return false;
  if (binding.chatId !== null && binding.chatId !== routing.chatId) return false;
  if (binding.teamId !== null && binding.teamId !== routing.teamId) return false;
  if (binding.channelIds.length === 0) return true;
  return routing.channelIds !== undefined && routing.channelIds.some((id) => binding.channelIds.includes(id));
}
