/** Why a generation ended, in the words of the closed list: every error, exit and host death is mapped here and nowhere else. */
import type { GatewayError } from "../contract/errors.ts";
import type { HostGone } from "../contract/host.ts";
import type { ExitedMeta } from "../contract/protocol.ts";
import type { Reason } from "../contract/status.ts";

/** One failure of one adapter. Literal: `{ reason: "bad_credentials", message: "401", userAction: "…", retryAfterMs: null, isTerminal: true }` */
export type Failure = {
  readonly reason: Reason;
  readonly message: string | null;
  /** What a person must do, or `null`. */
  readonly userAction: string | null;
  /** The server's own wish, a lower bound for ours; milliseconds. */
  readonly retryAfterMs: number | null;
  /** Trying again cannot help until a person has acted: `needs_attention`. */
  readonly isTerminal: boolean;
};

/** What a refusal of the connect budget says in its message, so that it is told from a platform's own rate limit. */
export const budgetRefusalText = "connect budget";

const defaultUserActions: Readonly<Partial<Record<Reason, string>>> = {
  bad_credentials: "Replace the credentials of this adapter in the config, then reload",
  forbidden: "Grant the missing permissions or intents on the platform, then restart this adapter",
  spec_invalid: "Correct the settings of this adapter in the config, then reload",
  port_in_use: "Free the port or configure another one",
  conflict: "Stop the other client that uses the same credentials",
};

const terminalReasons: ReadonlySet<Reason> = new Set<Reason>(["bad_credentials", "forbidden", "spec_invalid"]);

/** A failure with the defaults of its reason. */
export function failure(reason: Reason, message: string | null, details: Partial<Failure> = {}): Failure {
  return {
    reason,
    message,
    userAction: details.userAction ?? defaultUserActions[reason] ?? null,
    retryAfterMs: details.retryAfterMs ?? null,
    isTerminal: details.isTerminal ?? terminalReasons.has(reason),
  };
}

/** What an adapter's error means; `fallback` is the reason of a code that says nothing by itself. */
export function failureOfError(error: GatewayError, fallback: "start_failed" | "stream_ended"): Failure {
  return failure(reasonOfError(error, fallback), error.message, {
    userAction: error.userAction,
    retryAfterMs: error.retry.kind === "after" ? error.retry.delayMs : null,
  });
}

function reasonOfError(error: GatewayError, fallback: "start_failed" | "stream_ended"): Reason {
  switch (error.code) {
    case "unauthorized":
      return "bad_credentials";
    case "forbidden":
      return "forbidden";
    case "config_invalid":
      return "spec_invalid";
    case "rate_limited":
      return error.message.includes(budgetRefusalText) ? "budget_exhausted" : "rate_limited";
    case "platform_unavailable":
      return "platform_unavailable";
    case "conflict":
      return /EADDRINUSE|\bport\b/u.test(error.message) ? "port_in_use" : "conflict";
    case "timeout":
      return fallback === "start_failed" ? "start_timeout" : fallback;
    case "worker_crashed":
      return "crashed";
    case "worker_unresponsive":
      return "hung";
    case "not_found":
    case "invalid_request":
    case "too_large":
    case "message_rejected":
    case "unsupported_response":
    case "adapter_unavailable":
    case "queue_full":
    case "journal_unavailable":
    case "internal":
      return fallback;
  }
}

/** A conflict's message with the runtime keys of this gateway that use the same credential. */
export function describeRivals(message: string | null, rivals: readonly string[]): string {
  const verb = rivals.length === 1 ? "uses" : "use";
  return `${message ?? "Another client uses its credential"} (${rivals.join(", ")} in this gateway ${verb} the same credential)`;
}

const reasonsOfExit: Readonly<Record<ExitedMeta["cause"], Reason>> = {
  ended: "stream_ended",
  crashed: "crashed",
  exited: "exited",
  heap_exhausted: "heap_exhausted",
  module_failed: "module_failed",
  // Not by us: whoever ended it took a running adapter away.
  terminated: "crashed",
  open_failed: "start_failed",
};

/** What the unexpected end of a thread means. */
export function failureOfExit(exit: ExitedMeta): Failure {
  const code = exit.exitCode === null ? "" : ` with code ${exit.exitCode}`;
  return failure(reasonsOfExit[exit.cause], exit.error?.message ?? `Thread ${exit.cause.replace("_", " ")}${code}`, {
    retryAfterMs: exit.error?.retry.kind === "after" ? exit.error.retry.delayMs : null,
    userAction: exit.error?.userAction ?? null,
  });
}

/** What the end of its host means for an adapter. */
export function failureOfHost(gone: HostGone): Failure {
  return failure(gone.cause === "silent" ? "host_silent" : "host_died", gone.detail);
}
