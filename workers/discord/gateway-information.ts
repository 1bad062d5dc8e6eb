/** What `GET /gateway/bot` says, looked at before it is used. */
import type { APIGatewayBotInfo } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { childOf, numberOf, payloadOf, textOf } from "./payload.ts";

/** @throws {GatewayError} `platform_unavailable` when there is no address to connect to. */
export function assertUsable(information: APIGatewayBotInfo): void {
  if (isGatewayUrl(textOf(payloadOf(information) ?? {}, "url"))) return;
  throw new GatewayError("platform_unavailable", "Cannot find Discord's gateway: the answer has no address");
}

/** Whether a socket can be opened to `url`. */
export function isGatewayUrl(url: string): boolean {
  return URL.canParse(url) && /^wss?:/u.test(url);
}

/**
 * Discord itself counts too: with none left it would reset the token.
 * @throws {GatewayError} `rate_limited` until they are renewed.
 */
export function assertIdentifiesLeft(information: APIGatewayBotInfo | null): void {
  const limit = childOf(payloadOf(information) ?? {}, "session_start_limit");
  if (limit === null || (numberOf(limit, "remaining") ?? 1) > 0) return;
  throw new GatewayError("rate_limited", "Cannot connect: Discord grants no more logins until the limit is renewed", {
    retry: { kind: "after", delayMs: Math.max(1000, numberOf(limit, "reset_after") ?? 60_000) },
  });
}
