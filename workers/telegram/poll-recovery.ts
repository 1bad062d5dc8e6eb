/** What to do about a poll that failed. Pure. */
import { GatewayError } from "../../src/contract/errors.ts";

/** How long Telegram holds an empty poll. Seconds. */
export const pollWindowSeconds = 10;
/** Failures in a row before the supervisor takes over: about half a minute. */
const mostFailures = 5;
const longestPauseMs = 60_000;
/** Its session may outlive a poller that is gone by the window it had asked for. */
const conflictPauseMs = pollWindowSeconds * 1000 + 1_000;

/** A conflict that follows another one within this is the same: somebody else goes on polling. */
export const conflictMemoryMs = 6 * conflictPauseMs;

/** `wait`: poll again after it. `end`: this life is over. */
export type AfterPollFailure = { readonly kind: "wait"; readonly delayMs: number } | { readonly kind: "end" };

/** `count`: failures since the last poll that was none. `conflicts`: those that are one. */
export type PollFailures = { readonly count: number; readonly conflicts: number };

/** After `error`, with which `failures` are these. */
export function afterPollFailure(error: GatewayError, failures: PollFailures): AfterPollFailure {
  const { code, retry } = error;
  if (code === "conflict") return failures.conflicts > 1 ? end : { kind: "wait", delayMs: conflictPauseMs };
  // Whatever else Telegram says, it says it again.
  if (code !== "rate_limited" && code !== "platform_unavailable" && code !== "timeout") return end;
  const delayMs = retry.kind === "after" ? retry.delayMs : 1_000 * 2 ** (failures.count - 1);
  return delayMs > longestPauseMs || failures.count > mostFailures ? end : { kind: "wait", delayMs };
}

const end: AfterPollFailure = { kind: "end" };

/** Telegram has a webhook where we poll. Its own words, https://core.telegram.org/bots/api#getupdates */
export function isWebhookConflict(error: GatewayError): boolean {
  return error.code === "conflict" && /webhook/iu.test(error.message);
}

/** A conflict, with what a person must do. Who of this gateway it is with, the coordinator adds. */
export function conflictError(cause: GatewayError): GatewayError {
  const retry = { kind: "after", delayMs: conflictPauseMs } as const;
  if (isWebhookConflict(cause))
    return new GatewayError("conflict", "Cannot poll: another program has set a webhook for this bot's token", {
      retry,
      userAction:
        "Stop that program, or revoke the token with @BotFather and configure the new one; then restart this adapter",
    });
  return new GatewayError("conflict", "Cannot poll: another poller uses this bot's token", {
    retry,
    userAction: "Stop the other poller, or give this adapter a bot of its own",
  });
}
