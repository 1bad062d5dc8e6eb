/** The one error type of the whole system: a closed list of codes, and how it crosses a thread, a socket or HTTP. */

/** Every code a caller may act on. The code, not the message, is what programs read. */
export const errorCodes = [
  "config_invalid",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "invalid_request",
  "too_large",
  "rate_limited",
  "platform_unavailable",
  "message_rejected",
  "unsupported_response",
  "adapter_unavailable",
  "worker_crashed",
  "worker_unresponsive",
  "queue_full",
  "journal_unavailable",
  "timeout",
  "internal",
] as const;
/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/** Whether trying again can help: `never`, with our own `backoff`, or `after` the time a server asked for. */
export type Retry =
  | { readonly kind: "never" }
  | { readonly kind: "backoff" }
  | { readonly kind: "after"; readonly delayMs: number };

/**
 * A {@link GatewayError} as plain data, the only form in which errors cross a thread, a socket or HTTP.
 * Literal: `{ code: "rate_limited", message: "…", stack: "…", retry: { kind: "after", delayMs: 3000 }, userAction: null }`
 */
export type ErrorReport = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stack: string | null;
  readonly retry: Retry;
  /** What a person must do, or `null` where nothing can be done by hand. */
  readonly userAction: string | null;
};

/** What a {@link GatewayError} is made with beside its code and message. */
export type GatewayErrorOptions = {
  /** Default: `never` for what the caller got wrong, `backoff` for the rest. */
  readonly retry?: Retry;
  readonly userAction?: string | null;
  readonly cause?: unknown;
};

const callerFaults: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "config_invalid",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "invalid_request",
  "too_large",
  "message_rejected",
  "unsupported_response",
]);

/** Everything a caller may act on. Programmer errors stay `TypeError` and `RangeError`. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly userAction: string | null;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? (callerFaults.has(code) ? { kind: "never" } : { kind: "backoff" });
    this.userAction = options.userAction ?? null;
  }

  /** Any thrown value as a GatewayError: itself, a record of one, or `internal` with the value as its cause. */
  static from(reason: unknown): GatewayError {
    if (reason instanceof GatewayError) return reason;
    const report = parseErrorReport(reason);
    if (report !== null) return GatewayError.fromReport(report);
    if (reason instanceof Error) {
      const code: ErrorCode = reason.name === "TimeoutError" ? "timeout" : "internal";
      return new GatewayError(code, reason.message || reason.name, { cause: reason });
    }
    return new GatewayError("internal", `Unexpected rejection: ${describe(reason)}`, { cause: reason });
  }

  /** The error a report stands for, with the other side's stack. */
  static fromReport(report: ErrorReport): GatewayError {
    const error = new GatewayError(report.code, report.message, { retry: report.retry, userAction: report.userAction });
    if (report.stack !== null) error.stack = report.stack;
    return error;
  }

  /** This error as plain data. */
  toReport(): ErrorReport {
    const root = this.cause instanceof Error && this.cause.stack !== undefined ? this.cause.stack : this.stack;
    return {
      code: this.code,
      message: this.message,
      stack: root ?? null,
      retry: this.retry,
      userAction: this.userAction,
    };
  }
}

const longestTextCharacters = 16_384;

/** `value` as an {@link ErrorReport}, or `null` where it is none. Over-long texts are cut: the other side is not trusted. */
export function parseErrorReport(value: unknown): ErrorReport | null {
  if (typeof value !== "object" || value === null) return null;
  const { code, message, stack, retry, userAction } = value as Record<string, unknown>;
  if (typeof code !== "string" || !isErrorCode(code) || typeof message !== "string") return null;
  return {
    code,
    message: message.slice(0, longestTextCharacters),
    stack: typeof stack === "string" ? stack.slice(0, longestTextCharacters) : null,
    retry: parseRetry(retry, code),
    userAction: typeof userAction === "string" ? userAction.slice(0, longestTextCharacters) : null,
  };
}

function isErrorCode(text: string): text is ErrorCode {
  return (errorCodes as readonly string[]).includes(text);
}

function parseRetry(value: unknown, code: ErrorCode): Retry {
  if (typeof value === "object" && value !== null) {
    const { kind, delayMs } = value as Record<string, unknown>;
    if (kind === "never" || kind === "backoff") return { kind };
    if (kind === "after" && typeof delayMs === "number" && Number.isFinite(delayMs) && delayMs >= 0)
      return { kind, delayMs };
  }
  return callerFaults.has(code) ? { kind: "never" } : { kind: "backoff" };
}

function describe(value: unknown): string {
  if (typeof value === "string") return value.slice(0, longestTextCharacters);
  if (value === undefined) return "undefined";
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, longestTextCharacters);
  } catch {
    // A cyclic value has no JSON; its type is all that can be said of it.
    return typeof value;
  }
}
