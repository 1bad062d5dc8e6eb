/** When to try again after a connection was lost, and when that is the supervisor's turn. Pure. */
import type { GatewayError } from "../../src/contract/errors.ts";

/** The next step of an adapter without a connection. */
export type AfterLoss = { readonly kind: "retry"; readonly delayMs: number } | { readonly kind: "end" };

/** The first one at once: most cuts are over when they are noticed. Then 1 s doubling, some 30 s in all. */
const firstDelayMs = 250;
const secondDelayMs = 1_000;
const mostTries = 6;
/** A longer wait that a server asks for is kept better by a supervisor than by a thread. */
const longestWaitMs = 15_000;
/** A connection that lived so long owes nothing to the losses before it. */
export const stableAfterMs = 60_000;

/** `losses`: so many in a row, without a connection that lived for a minute. `random` is 0 to 1. */
export function afterLoss(error: GatewayError, losses: number, random: number): AfterLoss {
  if (error.retry.kind === "never" || losses > mostTries) return { kind: "end" };
  const delayMs = losses <= 1 ? firstDelayMs : secondDelayMs * 2 ** (losses - 2);
  const wantedMs = error.retry.kind === "after" ? Math.max(error.retry.delayMs, delayMs) : delayMs;
  if (wantedMs > longestWaitMs + secondDelayMs) return { kind: "end" };
  return { kind: "retry", delayMs: Math.round(wantedMs + (random * delayMs) / 2) };
}
