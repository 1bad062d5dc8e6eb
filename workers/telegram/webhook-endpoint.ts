/** Webhook mode: Telegram posts each update, and hears 200 only when it is on disk. https://core.telegram.org/bots/api#setwebhook */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Update } from "grammy/types";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { answerFailureBeforeBody, answerFailure, answerJson, failureOf } from "../../src/support/http-answer.ts";
import { readBody } from "../../src/support/http-body.ts";
import { type SecretMatcher, secretMatcher } from "../../src/support/secret-matcher.ts";
import { withDeadline } from "../../src/support/time.ts";
import type { UpdateIntake } from "./update-intake.ts";

const bodyLimitBytes = 1_048_576;
/** Below the minute that Telegram waits. */
const acceptDeadlineMs = 25_000;
/** Telegram opens 40 connections; more than this are not Telegram's. */
const mostPending = 1_000;

/** Answers Telegram's requests. */
export class WebhookEndpoint {
  readonly #context: Pick<AdapterContext, "log" | "frame">;
  readonly #intake: Pick<UpdateIntake, "accept">;
  readonly #isSecret: SecretMatcher;
  #pending = 0;

  constructor(parts: {
    readonly context: Pick<AdapterContext, "log" | "frame">;
    readonly intake: Pick<UpdateIntake, "accept">;
    readonly secret: string;
  }) {
    this.#context = parts.context;
    this.#intake = parts.intake;
    this.#isSecret = secretMatcher(parts.secret);
  }

  /** Serves one request; never throws. The path is the proxy's affair: the secret says who it is. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((reason: unknown) => {
      const error = GatewayError.from(reason);
      if (error.code === "internal") this.#context.log.error("telegram-webhook-failed", { error: error.message });
      if (!response.headersSent) answerFailureBeforeBody(request, response, failureOf(error));
      else response.destroy();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") {
      const message = `Cannot use ${request.method}: wanted POST`;
      answerFailureBeforeBody(request, response, { status: 405, code: "invalid_request", message, allow: "POST" });
      return;
    }
    const secret = request.headers["x-telegram-bot-api-secret-token"];
    if (typeof secret !== "string" || !this.#isSecret(secret)) {
      const message = "Cannot accept the update: the secret token is missing or wrong";
      answerFailureBeforeBody(request, response, { status: 401, code: "unauthorized", message });
      return;
    }
    if (this.#pending >= mostPending)
      throw new GatewayError("queue_full", `Cannot accept the update: ${mostPending} wait already`);
    this.#pending += 1;
    try {
      await this.#take(request, response);
    } finally {
      this.#pending -= 1;
    }
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, response, bodyLimitBytes);
    if (body.kind === "gone") {
      response.destroy();
      return;
    }
    if (body.kind === "too_large") {
      const message = `Cannot accept the update: at most ${bodyLimitBytes} bytes are allowed`;
      answerFailureBeforeBody(request, response, { status: 413, code: "too_large", message });
      return;
    }
    const update = parseUpdate(body.bytes);
    if (update === null) {
      const message = "Cannot accept the update: found no JSON object with an update_id";
      answerFailure(response, { status: 400, code: "invalid_request", message });
      return;
    }
    this.#context.frame();
    await withDeadline(this.#intake.accept([update], null), acceptDeadlineMs, "Accepting the update");
    answerJson(response, 200, "{}");
  }
}

function parseUpdate(bytes: Buffer): Update | null {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    // Told to whoever sent it.
    return null;
  }
  if (typeof value !== "object" || value === null || !("update_id" in value)) return null;
  return Number.isSafeInteger(value.update_id) ? (value as Update) : null;
}
