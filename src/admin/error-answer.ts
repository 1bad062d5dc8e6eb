/** How an error leaves over HTTP: one record, one status per code. */
import type { Context } from "hono";
import { GatewayError, type ErrorCode } from "../contract/errors.ts";

const statusByCode = {
  config_invalid: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  invalid_request: 400,
  too_large: 413,
  rate_limited: 429,
  platform_unavailable: 502,
  message_rejected: 422,
  unsupported_response: 422,
  adapter_unavailable: 503,
  worker_crashed: 503,
  worker_unresponsive: 503,
  queue_full: 503,
  journal_unavailable: 503,
  timeout: 504,
  internal: 500,
} as const satisfies Readonly<Record<ErrorCode, number>>;

/** Every status an error can have; 405 has the code `invalid_request`. */
export type ErrorStatus = (typeof statusByCode)[ErrorCode] | 405;

/** A request that is wrong at one place. `path` is that place: `idempotencyKey`, `response.text`. */
export class RequestFieldError extends GatewayError {
  readonly path: string;

  constructor(path: string, message: string) {
    super("invalid_request", message);
    this.path = path;
  }
}

/** The status an error code is answered with. */
export function statusOf(code: ErrorCode): ErrorStatus {
  return statusByCode[code];
}

/** `{ error: { code, message, path? } }` with its status, and `Retry-After` where the error says when. */
export function answerError(
  context: Context,
  error: GatewayError,
  status: ErrorStatus = statusOf(error.code),
): Response {
  if (error.retry.kind === "after") context.header("Retry-After", String(Math.ceil(error.retry.delayMs / 1000)));
  // The rest of such a body is not read: the connection cannot go on.
  if (status === 413) context.header("Connection", "close");
  if (status === 401) context.header("WWW-Authenticate", "Bearer");
  return context.json({ error: errorRecord(error) }, status);
}

/** The record inside `error`. */
export function errorRecord(error: GatewayError): { code: ErrorCode; message: string; path?: string } {
  const record = { code: error.code, message: error.message };
  return error instanceof RequestFieldError ? { ...record, path: error.path } : record;
}
