/** Answers of our small HTTP servers: JSON with precomputed headers, and one form for every failure. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ErrorCode, GatewayError } from "../contract/errors.ts";

/** A request that is not served. Literal: `{ status: 429, code: "rate_limited", message: "…", retryAfterMs: 800 }` */
export type HttpFailure = {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** The methods a 405 names, such as `GET, HEAD`. */
  readonly allow?: string;
};

/** More than this of a refused body is not read to its end: the connection is cut. */
const discardLimitBytes = 16_777_216;

/** Sends `json` as it is. */
export function answerJson(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, [
    "Content-Type",
    "application/json",
    "Content-Length",
    String(Buffer.byteLength(json)),
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
  ]);
  response.end(json);
}

/** Sends `{error: {code, message}}`; Retry-After in whole seconds, at least 1, where the failure has one. */
export function answerFailure(response: ServerResponse, failure: HttpFailure): void {
  writeFailure(response, failure);
  response.end();
}

/**
 * Refuses a request whose body is not wanted. The body is read and thrown away, so that the client gets to see the
 * answer instead of a reset connection; the connection is then closed.
 */
export function answerFailureBeforeBody(
  request: IncomingMessage,
  response: ServerResponse,
  failure: HttpFailure,
): void {
  response.shouldKeepAlive = false;
  let discardedBytes = 0;
  // A client that waits for "100 Continue" sends no body once it has the answer.
  if (request.complete || request.headers.expect !== undefined) {
    answerFailure(response, failure);
    return;
  }
  writeFailure(response, failure);
  request.on("data", (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > discardLimitBytes) request.destroy();
  });
  request.once("end", () => response.end());
  request.once("close", () => response.end());
  // Whoever began to read it may have stopped.
  request.resume();
}

/** What a client may be told of an error, with the status that fits. Not accepted and worth trying again: 503. */
export function failureOf(error: GatewayError): HttpFailure {
  const status = statusByCode[error.code] ?? 503;
  const message = error.code === "internal" ? "Cannot accept the request: internal error" : error.message;
  if (status !== 429 && status !== 503) return { status, code: error.code, message };
  return { status, code: error.code, message, retryAfterMs: error.retry.kind === "after" ? error.retry.delayMs : 1000 };
}

const statusByCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  invalid_request: 400,
  message_rejected: 400,
  unsupported_response: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  too_large: 413,
  rate_limited: 429,
};

function writeFailure(response: ServerResponse, failure: HttpFailure): void {
  const json = JSON.stringify({ error: { code: failure.code, message: failure.message } });
  const headers = [
    "Content-Type",
    "application/json",
    "Content-Length",
    String(Buffer.byteLength(json)),
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
  ];
  if (failure.status === 401) headers.push("WWW-Authenticate", "Bearer");
  if (failure.allow !== undefined) headers.push("Allow", failure.allow);
  if (failure.retryAfterMs !== undefined)
    headers.push("Retry-After", String(Math.max(1, Math.ceil(failure.retryAfterMs / 1000))));
  response.writeHead(failure.status, headers);
  response.write(json);
}
