/** HTTP mode: Slack posts events, commands and clicks here, and gets its 200 once they are on disk. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { answerFailure, answerFailureBeforeBody, answerJson, failureOf } from "../../src/support/http-answer.ts";
import { readBody } from "../../src/support/http-body.ts";
import { withDeadline } from "../../src/support/time.ts";
import { fieldsOf, textOf, type Fields } from "./fields.ts";
import { isFresh, isSigned } from "./signature.ts";

/** What the server works with. */
export type RequestServerOptions = {
  readonly context: Pick<AdapterContext, "frame" | "log" | "missed">;
  readonly signingSecret: string;
  /** Resolves with the answer's body once everything is on disk. */
  readonly receive: (body: Fields) => Promise<Fields>;
};

const bodyLimitBytes = 1_048_576;
/** Slack gives up after 3 s and sends an event again; a late 200 still tells it that this one arrived. */
const acceptDeadlineMs = 10_000;
const mostPending = 2_000;
const longestEcho = 1_024;

const unauthorized = new GatewayError(
  "unauthorized",
  "Cannot accept the request: its signature is missing, wrong or too old",
);

/** Serves one adapter's requests. */
export class RequestServer {
  readonly #options: RequestServerOptions;
  #pending = 0;
  #isStopping = false;

  constructor(options: RequestServerOptions) {
    this.#options = options;
  }

  /** Serves one request; never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#route(request, response).catch((reason: unknown) => {
      const error = GatewayError.from(reason);
      if (error.code === "internal") this.#options.context.log.error("slack-request-failed", { error: error.message });
      if (response.headersSent) response.destroy();
      else if (request.complete) answerFailure(response, failureOf(error));
      else answerFailureBeforeBody(request, response, failureOf(error));
    });
  }

  /** Later requests are told to come again. */
  stop(): void {
    this.#isStopping = true;
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (path === "/health") return answerJson(response, 200, '{"status":"ok"}');
    if (!path.startsWith("/slack/")) throw new GatewayError("not_found", "Cannot find this path");
    if (request.method !== "POST")
      return answerFailureBeforeBody(request, response, {
        status: 405,
        code: "invalid_request",
        message: `Cannot use ${request.method}: wanted POST`,
        allow: "POST",
      });
    if (this.#isStopping) throw new GatewayError("adapter_unavailable", "Cannot accept the request: stopping");
    if (this.#pending >= mostPending)
      throw new GatewayError("queue_full", `Cannot accept the request: ${mostPending} wait already`);
    this.#pending += 1;
    try {
      await this.#accept(request, response);
    } finally {
      this.#pending -= 1;
    }
  }

  async #accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers } = request;
    const timestamp = headers["x-slack-request-timestamp"];
    if (!isFresh(timestamp, Date.now())) throw unauthorized;
    const read = await readBody(request, response, bodyLimitBytes);
    if (read.kind === "gone") return;
    if (read.kind === "too_large")
      throw new GatewayError("too_large", `Cannot read the body: at most ${bodyLimitBytes} bytes are allowed`);
    const { signingSecret, receive, context } = this.#options;
    if (!isSigned(signingSecret, timestamp, read.bytes, headers["x-slack-signature"])) throw unauthorized;
    context.frame();
    const body = parseBody(read.bytes, headers["content-type"] ?? "");
    if (body["type"] === "url_verification")
      return answerJson(response, 200, JSON.stringify({ challenge: textOf(body["challenge"]).slice(0, longestEcho) }));
    if (body["ssl_check"] !== undefined) return answerJson(response, 200, "{}");
    // Slack held events back for a minute, since there were too many.
    if (body["type"] === "app_rate_limited") context.missed({ gapSeconds: 60 });
    const answer = await withDeadline(receive(body), acceptDeadlineMs, "Accepting the request");
    const isEmpty = Object.keys(answer).length === 0;
    if (isEmpty) response.writeHead(200, { "Content-Length": "0" }).end();
    else answerJson(response, 200, JSON.stringify(answer));
  }
}

/**
 * JSON, a form, or JSON in a form: Slack sends all three.
 * @throws {GatewayError} `invalid_request` for anything else.
 */
export function parseBody(bytes: Uint8Array, contentType: string): Fields {
  const text = Buffer.from(bytes).toString("utf8");
  try {
    if (!contentType.startsWith("application/x-www-form-urlencoded")) return fieldsOf(JSON.parse(text));
    const form = Object.fromEntries(new URLSearchParams(text));
    return form["payload"] === undefined ? form : fieldsOf(JSON.parse(form["payload"]));
  } catch {
    throw new GatewayError("invalid_request", "Cannot read the body: it is not JSON");
  }
}
