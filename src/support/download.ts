/** A file from a platform's server to disk: bounded, from known hosts alone, credentials to the first of them only. */
import type { IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import { open, unlink } from "node:fs/promises";
import { GatewayError } from "../contract/errors.ts";
import { errnoOf } from "./errno.ts";
import { isLoopback } from "./loopback.ts";
import { get } from "./node-http.ts";

/** What to fetch and where to. */
export type DownloadRequest = {
  /** `https:`; `http:` on loopback only. */
  readonly url: string;
  /** Sent to the URL's own host and to no other that it redirects to. */
  readonly headers: Readonly<Record<string, string>>;
  /** Asked for each host on the way, without its port. */
  readonly isAllowedHost: (host: string) => boolean;
  /** A file that is not there yet; made with mode 0600, removed on failure. */
  readonly path: string;
  readonly maxBytes: number;
  /** For all of it, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

const mostRedirects = 5;

/**
 * Writes the file and resolves with its size. No error names the URL, which may hold a token.
 * @throws {GatewayError} `too_large`, `not_found` (404, 410), `forbidden` (401, 403, a host that is not allowed), `timeout`,
 * `platform_unavailable` for the rest of what a server does, `internal` when the file cannot be written; the signal's reason
 * when it was aborted.
 */
export async function downloadToFile(request: DownloadRequest): Promise<{ readonly sizeBytes: number }> {
  request.signal.throwIfAborted();
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signal = AbortSignal.any([request.signal, deadline]);
  try {
    const response = await follow(request, signal);
    try {
      return { sizeBytes: await save(response, request) };
    } finally {
      response.destroy();
    }
  } catch (reason) {
    request.signal.throwIfAborted();
    if (deadline.aborted)
      throw new GatewayError("timeout", `Cannot download the file: not finished within ${request.timeoutMs} ms`);
    throw reason instanceof GatewayError ? reason : unavailable(errnoOf(reason) ?? "the connection failed");
  }
}

/** The answer that has the file. */
async function follow(request: DownloadRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const first = parsed(request.url);
  let url = first;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    assertAllowed(url, first, request);
    const response = await answerOf(url, { headers: url.origin === first.origin ? request.headers : {}, signal });
    const location = response.headers.location;
    if (!isRedirect(response.statusCode) || location === undefined) return response;
    response.destroy();
    url = parsed(location, url);
  }
  throw unavailable(`more than ${mostRedirects} redirects`);
}

function parsed(location: string, base?: URL): URL {
  const url = URL.parse(location, base?.href);
  if (url === null) throw unavailable("the address is no URL");
  return url;
}

function assertAllowed(url: URL, first: URL, request: DownloadRequest): void {
  const host = url.hostname;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(host)))
    throw new GatewayError("forbidden", `Cannot download the file: found ${url.protocol} at ${host}, expected https:`);
  // Nobody elsewhere may send us to what listens on this machine.
  if (isLoopback(host) && !isLoopback(first.hostname))
    throw new GatewayError("forbidden", "Cannot download the file: redirected to this machine");
  if (!request.isAllowedHost(host))
    throw new GatewayError("forbidden", `Cannot download the file: ${host} is not one of the platform's hosts`);
}

async function answerOf(
  url: URL,
  options: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const answer = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === "https:" ? getSecure : get;
  // No agent: a connection kept for a next file would outlive its adapter.
  const request = send(
    url,
    { headers: { ...options.headers, "Accept-Encoding": "identity" }, agent: false, signal: options.signal },
    answer.resolve,
  );
  request.on("error", answer.reject);
  return answer.promise;
}

function isRedirect(status: number | undefined): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

async function save(response: IncomingMessage, request: DownloadRequest): Promise<number> {
  assertFile(response, request.maxBytes);
  const file = await open(request.path, "wx", 0o600).catch(notWritten);
  try {
    let sizeBytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > request.maxBytes) throw tooLarge(request.maxBytes);
      await file.appendFile(chunk).catch(notWritten);
    }
    await file.close();
    return sizeBytes;
  } catch (reason) {
    await file.close();
    await unlink(request.path);
    throw reason;
  }
}

function notWritten(reason: unknown): never {
  throw new GatewayError("internal", `Cannot write the file: ${errnoOf(reason) ?? "unknown"}`, { cause: reason });
}

function assertFile(response: IncomingMessage, maxBytes: number): void {
  const { statusCode: status = 0, headers } = response;
  if (status === 404 || status === 410)
    throw new GatewayError("not_found", "Cannot download the file: the platform no longer has it");
  if (status === 401 || status === 403)
    throw new GatewayError("forbidden", `Cannot download the file: HTTP ${status}`, {
      userAction: "Allow the bot to read files",
    });
  if (status !== 200) throw unavailable(`HTTP ${status}`, headers["retry-after"]);
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("too_large", `Cannot download the file: found more than ${maxBytes} bytes`);
}

function unavailable(found: string, retryAfter?: string): GatewayError {
  const seconds = Number(retryAfter);
  return new GatewayError("platform_unavailable", `Cannot download the file: ${found}`, {
    retry: seconds > 0 ? { kind: "after", delayMs: seconds * 1000 } : { kind: "backoff" },
  });
}
