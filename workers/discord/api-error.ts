/** Discord's and its library's errors as ours. Nothing of theirs is passed on: they carry bodies, and URLs with tokens. */
import { DiscordAPIError, HTTPError, RateLimitError } from "discord.js";
import { GatewayError, type ErrorCode, type GatewayErrorOptions } from "../../src/contract/errors.ts";
import { payloadOf, textOf } from "./payload.ts";

/** Discord's own numbers for what went wrong, as far as we act on them. */
export const discordCodes = {
  unknownMessage: 10_008,
  unknownEmoji: 10_014,
  unknownWebhook: 10_015,
  unknownInteraction: 10_062,
  requestTooLarge: 40_005,
  alreadyAcknowledged: 40_060,
  missingAccess: 50_001,
  cannotReplyWithoutHistory: 160_002,
  invalidWebhookToken: 50_027,
  threadExists: 160_004,
} as const;

/** A refused call. {@link https://discord.com/developers/docs/topics/opcodes-and-status-codes#json} */
export class DiscordCallError extends GatewayError {
  /** Discord's number; 0: it gave none. */
  readonly discordCode: number;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions & { readonly discordCode: number }) {
    super(code, message, options);
    this.discordCode = options.discordCode;
  }
}

/** What the person who runs the gateway must do about a refused token. */
export const tokenAction = "Reset the bot's token in the Discord developer portal and put the new one into the config";

const longestText = 500;

/** Any rejection of a call of `what`, such as `post the message`. Pure. */
export function toGatewayError(reason: unknown, what: string): GatewayError {
  if (reason instanceof GatewayError) return reason;
  if (reason instanceof RateLimitError) return rateLimited(reason, what);
  if (reason instanceof DiscordAPIError) return refused(reason, what);
  if (reason instanceof HTTPError)
    return new GatewayError("platform_unavailable", `Cannot ${what}: Discord answered ${reason.status}`);
  if (reason instanceof Error && reason.message.startsWith("Expected token to be set"))
    return new GatewayError("unauthorized", `Cannot ${what}: Discord has refused the token`, {
      userAction: tokenAction,
    });
  return new GatewayError("platform_unavailable", `Cannot ${what}: ${connectionProblem(reason)}`);
}

/** Whether `reason` is Discord's refusal with one of these numbers. */
export function isDiscordError(reason: unknown, ...codes: readonly number[]): boolean {
  return reason instanceof DiscordCallError && codes.includes(reason.discordCode);
}

function rateLimited(error: RateLimitError, what: string): GatewayError {
  const delayMs = Math.max(error.retryAfter, error.timeToReset, 0);
  return new GatewayError("rate_limited", `Cannot ${what}: Discord asks to wait ${Math.ceil(delayMs / 1000)} s`, {
    retry: { kind: "after", delayMs },
  });
}

function refused(error: DiscordAPIError, what: string): GatewayError {
  // A page of the network in front of Discord: its own refusals have a message.
  if (error.status !== 401 && textOf(payloadOf(error.rawError) ?? {}, "message") === "")
    return new GatewayError("platform_unavailable", `Cannot ${what}: Discord was not reached (${error.status})`);
  const discordCode = typeof error.code === "number" ? error.code : 0;
  // The library writes each wrong field's path and what is wrong with it into the message.
  const text = error.message.replace(/\s+/gu, " ").slice(0, longestText);
  const message = `Cannot ${what}: Discord answered ${error.status}${discordCode === 0 ? "" : ` (${discordCode})`}: ${text}`;
  const code = codeOf(error.status, discordCode);
  return new DiscordCallError(code, message, {
    discordCode,
    userAction: code === "unauthorized" ? tokenAction : code === "forbidden" ? "Give the bot the permission" : null,
  });
}

function codeOf(status: number, discordCode: number): ErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 413 || discordCode === discordCodes.requestTooLarge) return "too_large";
  if (discordCode === discordCodes.unknownEmoji) return "message_rejected";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 409) return "conflict";
  return "message_rejected";
}

/** The system's word for it, such as ECONNREFUSED; the library's own text may quote what was sent. */
function connectionProblem(reason: unknown): string {
  if (!(reason instanceof Error)) return "the call failed";
  if (reason.name === "AbortError" || reason.name === "TimeoutError") return "no answer in time";
  const { code } = reason as { readonly code?: unknown };
  return typeof code === "string" ? `the connection failed (${code.slice(0, 40)})` : "the answer makes no sense";
}
