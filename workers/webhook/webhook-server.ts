/** The webhook's three endpoints over HTTP. The order of the checks is the order of the answers: 404 405 403 401 415 413 400 429 503. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { WebhookSettings } from "../../src/contract/settings.ts";
import {
  answerFailure,
  answerFailureBeforeBody,
  answerJson,
  failureOf,
  type HttpFailure,
} from "../../src/support/http-answer.ts";
import { readBody } from "../../src/support/http-body.ts";
import { isLoopback, isUnforgeableHost } from "../../src/support/loopback.ts";
import { steadyNow, withDeadline } from "../../src/support/time.ts";
import { TokenBuckets } from "../../src/support/token-buckets.ts";
import { Credentials } from "./credentials.ts";
import { type PollAnswer, Polls } from "./polls.ts";
import { parseSend, parseTarget, type Target } from "./requests.ts";

/** Made once: an abort without a reason makes a DOMException with a stack, at every request. */
const clientGone = new Error("The client has gone");

/** How long a `POST /send` waits for the journal before the client is told to come again. */
const acceptDeadlineMs = 30_000;
/** Unanswered `POST /send` at once; with more, memory would be the queue. */
const maxPendingSends = 10_000;
const maxHeldPolls = 5_000;
/** How often the gateway is told that requests arrive. */
const frameIntervalMs = 1_000;

const noBody = Buffer.alloc(0);
const unauthorized: HttpFailure = {
  status: 401,
  code: "unauthorized",
  message: "Cannot accept the request: the token or signature is missing, wrong or too old",
};
const tooManyPending = new GatewayError("queue_full", `Cannot accept the message: ${maxPendingSends} wait already`);

/** Serves one webhook adapter's requests. */
export class WebhookServer {
  readonly polls: Polls;
  readonly #context: AdapterContext<WebhookSettings>;
  readonly #credentials: Credentials;
  readonly #senders: TokenBuckets;
  readonly #needsUnforgeableHost: boolean;
  #policy: Policy;
  #pendingSends = 0;
  #lastFrameAtMs = 0;
  #isStopping = false;

  constructor(context: AdapterContext<WebhookSettings>) {
    const { settings } = context;
    this.#context = context;
    this.#policy = context.policy;
    this.polls = new Polls(context.mailbox, { maxHeld: maxHeldPolls });
    this.#credentials = new Credentials(settings);
    this.#needsUnforgeableHost = this.#credentials.isOpen && isLoopback(settings.bind);
    const ratePerSecond = settings.rateLimitPerSender;
    this.#senders = new TokenBuckets({ ratePerSecond, burst: Math.max(20, 4 * ratePerSecond) });
  }

  /** From the next request on. */
  set policy(policy: Policy) {
    this.#policy = policy;
  }

  /** Serves one request; never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#route(request, response).catch((reason: unknown) => {
      const error = GatewayError.from(reason);
      if (error.code === "internal")
        this.#context.log.error("webhook-request-failed", { message: error.message, stack: error.stack ?? "" });
      if (!response.headersSent) answerFailureBeforeBody(request, response, failureOf(error));
      else response.destroy();
    });
  }

  /** Answers what waits; later requests are told to come again. */
  stop(): void {
    this.#isStopping = true;
    this.polls.stop();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const nowMs = steadyNow();
    if (nowMs - this.#lastFrameAtMs >= frameIntervalMs) {
      this.#lastFrameAtMs = nowMs;
      this.#context.frame();
    }
    const target = parseTarget(request.url ?? "/");
    const refusal = this.#refusalOf(request, target);
    if (refusal !== null) {
      answerFailureBeforeBody(request, response, refusal);
      return;
    }
    if (target.kind === "send") await this.#send(request, response);
    else if (target.kind === "poll") await this.#poll(request, response, target);
    else answerJson(response, 200, '{"status":"ok"}');
  }

  #refusalOf(request: IncomingMessage, target: Target): HttpFailure | null {
    if (target.kind === "unknown") return { status: 404, code: "not_found", message: "Cannot find this path" };
    const isAllowed =
      target.kind === "send" ? request.method === "POST" : request.method === "GET" || request.method === "HEAD";
    if (!isAllowed) {
      const allow = target.kind === "send" ? "POST" : "GET, HEAD";
      return { status: 405, code: "invalid_request", message: `Cannot use ${request.method}: wanted ${allow}`, allow };
    }
    if (target.kind === "health") return null;
    if (this.#isStopping)
      return {
        status: 503,
        code: "adapter_unavailable",
        message: "Cannot accept the request: stopping",
        retryAfterMs: 1000,
      };
    if (this.#needsUnforgeableHost && !isUnforgeableHost(request.headers.host ?? "localhost"))
      return {
        status: 403,
        code: "forbidden",
        message: "Cannot accept the request without auth_token: its Host is a name, wanted an address or localhost",
      };
    return null;
  }

  async #send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdict = this.#credentials.judge(request.headers, Date.now());
    if (verdict === "refused") return answerFailureBeforeBody(request, response, unauthorized);
    if (!isJson(request.headers["content-type"]))
      return answerFailureBeforeBody(request, response, {
        status: 415,
        code: "invalid_request",
        message: "Cannot read the body: wanted Content-Type application/json",
      });
    if (this.#pendingSends >= maxPendingSends) throw tooManyPending;
    this.#pendingSends += 1;
    try {
      const limitBytes = this.#policy.maxBodyBytes;
      const body = await readBody(request, response, limitBytes);
      if (body.kind === "gone") return;
      if (body.kind === "too_large")
        throw new GatewayError("too_large", `Cannot read the body: at most ${limitBytes} bytes are allowed`);
      if (verdict === "signed" && !this.#credentials.isSigned(request.headers, body.bytes))
        return answerFailure(response, unauthorized);
      await this.#accept(body.bytes, response);
    } finally {
      this.#pendingSends -= 1;
    }
  }

  async #accept(body: Uint8Array, response: ServerResponse): Promise<void> {
    const message = parseSend(body);
    const retryAfterMs = this.#senders.take(message.sender.id, performance.now());
    if (retryAfterMs > 0)
      return answerFailure(response, {
        status: 429,
        code: "rate_limited",
        message: `Cannot accept the message: more than ${this.#context.settings.rateLimitPerSender} a second of this sender`,
        retryAfterMs,
      });
    const [id] = await withDeadline(this.#context.emit(message), acceptDeadlineMs, "Accepting the message");
    answerJson(response, 202, `{"id":${JSON.stringify(id)}}`);
  }

  async #poll(
    request: IncomingMessage,
    response: ServerResponse,
    target: Extract<Target, { kind: "poll" }>,
  ): Promise<void> {
    const verdict = this.#credentials.judge(request.headers, Date.now());
    const isAllowed =
      verdict === "allowed" || (verdict === "signed" && this.#credentials.isSigned(request.headers, noBody));
    if (!isAllowed) return answerFailureBeforeBody(request, response, unauthorized);
    const gone = new AbortController();
    let answer: PollAnswer | null = null;
    // `close` comes after the last byte was handed over, or without it.
    response.once("close", () => {
      if (answer === null) gone.abort(clientGone);
      else answer.settle(response.writableFinished);
    });
    answer = await this.polls.poll({
      conversation: target.conversation,
      after: target.after,
      waitMs: target.waitMs,
      signal: gone.signal,
    });
    if (gone.signal.aborted) return answer.settle(false);
    answerJson(response, 200, JSON.stringify({ messages: answer.messages, cursor: answer.cursor }));
  }
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  if (contentType === "application/json") return true;
  return /^application\/json\s*(;|$)/iu.test(contentType);
}
