/** What to do after a send failed. */
import type { ErrorCode, GatewayError } from "../contract/errors.ts";

/** `wait`: it never reached the adapter, go on when that runs, and not at once. `unknown`: it may have arrived, so it is not repeated. */
export type AfterFailure =
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "unknown" }
  | { readonly kind: "failed" };

/** An adapter that seems to run and refuses must not be asked in a tight loop. */
const refusedMs = 1000;
const firstDelayMs = 1000;
const longestDelayMs = 60_000;
const mostAttempts = 8;
const longestAgeMs = 86_400_000;
/** The adapter may have sent it before the answer was lost. */
const outcomeUnknown: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["timeout", "worker_crashed", "worker_unresponsive"]);
const outages: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["rate_limited", "platform_unavailable"]);

/**
 * Pure. An outage or a rate limit is waited out for a day, any other passing failure is tried 8 times; 1 s doubling to
 * 60 s, with jitter, and never before the time a server asked for. `random` is 0 to 1.
 */
export function afterSendFailure(
  error: GatewayError,
  send: { readonly attempts: number; readonly ageMs: number },
  random: number,
): AfterFailure {
  if (error.code === "adapter_unavailable") return { kind: "wait", delayMs: refusedMs };
  if (outcomeUnknown.has(error.code)) return { kind: "unknown" };
  const isOver = outages.has(error.code) ? send.ageMs >= longestAgeMs : send.attempts >= mostAttempts;
  return isOver || error.retry.kind === "never" ? { kind: "failed" } : retry(error, send, random);
}

function retry(error: GatewayError, { attempts }: { readonly attempts: number }, random: number): AfterFailure {
  const ceilingMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts - 1, 10));
  const delayMs = Math.round(ceilingMs / 2 + (random * ceilingMs) / 2);
  return { kind: "retry", delayMs: error.retry.kind === "after" ? Math.max(delayMs, error.retry.delayMs) : delayMs };
}
