/** One small HTTP call with a bound for everything: no connection outlives it, and no error quotes what was sent. */
import type { IncomingMessage } from "node:http";
import { request as requestSecure } from "node:https";
import { GatewayError } from "../../src/contract/errors.ts";
import { deadline } from "../../src/support/deadline.ts";
import { errnoOf } from "../../src/support/errno.ts";
import { request as requestPlain } from "../../src/support/node-http.ts";

/** What to ask. */
export type HttpCall = {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** An answer of any status. `body` is `{}` where it is no JSON object. */
export type HttpAnswer = {
  readonly status: number;
  readonly retryAfterMs: number | null;
  readonly body: Readonly<Record<string, unknown>>;
};

const longestAnswerBytes = 65_536;

/** @throws {GatewayError} `platform_unavailable` or `timeout` without an answer; the signal's reason when it was aborted. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  call.signal.throwIfAborted();
  const { host } = call.url;
  const error = new GatewayError("timeout", `${host} did not answer within ${call.timeoutMs} ms`);
  using late = deadline(call.timeoutMs, { error, signal: call.signal });
  try {
    return await exchange(call, late.signal);
  } catch (reason) {
    late.signal.throwIfAborted();
    throw new GatewayError(
      "platform_unavailable",
      `Cannot reach ${host}: ${errnoOf(reason) ?? "the connection broke"}`,
    );
  }
}

async function exchange(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, headers, body = "" } = call;
  const answer = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === "https:" ? requestSecure : requestPlain;
  const length = { "Content-Length": String(Buffer.byteLength(body)) };
  // No agent: a kept connection would outlive the adapter, and the next call is minutes away.
  const request = send(url, { method, headers: { ...headers, ...length }, agent: false, signal });
  request.on("error", answer.reject);
  request.once("response", answer.resolve);
  request.end(body);
  const response = await answer.promise;
  try {
    return {
      status: response.statusCode ?? 0,
      retryAfterMs: retryAfterOf(response.headers["retry-after"]),
      body: await readObject(response),
    };
  } finally {
    response.destroy();
  }
}

async function readObject(response: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestAnswerBytes) throw new RangeError("the answer is too long");
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks, length).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    // What stands in front of a server answers in HTML; the status says enough.
    return {};
  }
}

function retryAfterOf(header: string | undefined): number | null {
  const seconds = Number(header);
  return seconds > 0 ? seconds * 1_000 : null;
}
