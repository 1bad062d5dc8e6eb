/**
 * What discord.js uses itself and does not hand out: it exports a deprecated class under the name of its gateway client,
 * and its HTTP client's agent not at all. Both come from discord.js' own dependencies, found from its own place.
 */
import { createRequire } from "node:module";
import type { CreateWebSocketManagerOptions, RESTOptions, SimpleShardingStrategy } from "discord.js";

/** The gateway client of discord.js. {@link https://discord.js.org/docs/packages/ws/main/WebSocketManager:Class} */
export type WebSocketManager = ConstructorParameters<typeof SimpleShardingStrategy>[0];

/** Keeps connections to Discord's REST servers; ends them all when told to. */
export type RestAgent = NonNullable<RESTOptions["agent"]>;

type WebSocketLibrary = {
  readonly WebSocketManager: new (
    options: CreateWebSocketManagerOptions & Partial<WebSocketManager["options"]>,
  ) => WebSocketManager;
};
type HttpLibrary = {
  readonly Agent: new (options: { readonly connections: number; readonly keepAliveTimeout: number }) => RestAgent;
};

const requireOfDiscord = createRequire(import.meta.resolve("discord.js"));

/** The class that discord.js' Client connects with. */
export function loadWebSocketManager(): WebSocketLibrary["WebSocketManager"] {
  return (requireOfDiscord("@discordjs/ws") as WebSocketLibrary).WebSocketManager;
}

/** An agent of our own, so that the adapter can close what it has opened. */
export function createRestAgent(): RestAgent {
  const { Agent } = requireOfDiscord("undici") as HttpLibrary;
  return new Agent({ connections: 16, keepAliveTimeout: 10_000 });
}
