/** When a response that is meant for later goes: held here where its platform cannot wait by itself. */
import { GatewayError } from "../contract/errors.ts";
import type { Response } from "../contract/response.ts";
import type { Capabilities } from "./fallback.ts";

/** A year and a day. Milliseconds instead of seconds lie far beyond it. */
const longestAheadMs = 366 * 86_400_000;

/**
 * When `response` may leave, in milliseconds since 1970; 0: at once. What is due already is not held.
 * @throws {GatewayError} `invalid_request` for a time more than 366 days ahead.
 */
export function dueTimeOf(response: Response, capabilities: Capabilities | null, nowMs: number): number {
  if (response.kind !== "scheduled_message" || capabilities?.scheduled_message === "native") return 0;
  const dueAtMs = response.postAt * 1000;
  if (dueAtMs - nowMs <= longestAheadMs) return dueAtMs > nowMs ? dueAtMs : 0;
  throw new GatewayError(
    "invalid_request",
    `Cannot schedule the message: postAt is ${response.postAt}, expected seconds since 1970, at most 366 days ahead`,
  );
}

/** A scheduled message whose time has come is a text: no platform schedules into the past. */
export function withoutPastTime<Stored extends Response>(
  response: Stored,
  nowMs: number,
): Stored | { readonly kind: "text"; readonly text: string } {
  return response.kind === "scheduled_message" && response.postAt * 1000 <= nowMs
    ? { kind: "text", text: response.text }
    : response;
}
