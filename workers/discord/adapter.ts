/**
 * Discord, through discord.js: the gateway and REST clients that it is made of. Its Client is left out: frames that it does
 * not expect end the thread, and its caches grow with the guilds.
 */
import type { AdapterContext, AdapterModule, RunningAdapter } from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { DiscordSettings } from "../../src/contract/settings.ts";
import { deadline } from "../../src/support/deadline.ts";
import { DiscordConnection } from "./connection.ts";

/** Whatever Discord does. */
const startDeadlineMs = 19_000;

const discord: AdapterModule<DiscordSettings> = {
  platform: "discord",
  capabilities: capabilitiesOf("discord"),
  // A heartbeat that is missed after 41.25 s shows at the next one; then a new connection has its 18 s.
  maxSilenceMs: 110_000,
  start,
};
export default discord;

async function start(context: AdapterContext<DiscordSettings>): Promise<RunningAdapter> {
  const text = `Cannot start: Discord was not ready in ${startDeadlineMs / 1000} s`;
  const error = new GatewayError("platform_unavailable", text);
  using late = deadline(startDeadlineMs, { error, signal: context.signal });
  const connection = new DiscordConnection(context);
  try {
    await connection.start(late.signal);
    return connection;
  } catch (reason) {
    await connection.stop();
    throw reason;
  }
}
