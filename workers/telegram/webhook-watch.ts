/** Whether Telegram still posts to us: somebody else may set a webhook for the same bot, or take it away. */
import type { WebhookInfo } from "grammy/types";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { sleep } from "../../src/support/time.ts";
import type { TelegramApi } from "./api.ts";

/** Well within the module's `maxSilenceMs`. */
const periodMs = 15_000;
const deadlineMs = 10_000;
/** In a row; the supervisor takes over then. */
const mostFailures = 5;

/** What the watch works with. */
export type WebhookWatchParts = {
  readonly context: Pick<AdapterContext, "log" | "frame" | "reconnecting" | "connected">;
  readonly api: TelegramApi;
  readonly url: string;
};

/** Asks Telegram every 15 s. */
export class WebhookWatch {
  /** Rejects when updates no longer come here, or Telegram cannot be reached. */
  readonly closed: Promise<void>;
  readonly #parts: WebhookWatchParts;
  readonly #ending = new AbortController();
  #toldErrorDate = 0;

  constructor(parts: WebhookWatchParts) {
    this.#parts = parts;
    this.closed = this.#run();
    this.closed.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#ending.abort(new GatewayError("adapter_unavailable", "The webhook has been stopped"));
    await this.closed.catch(() => {});
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const { api, context } = this.#parts;
    let failures = 0;
    try {
      for (;;) {
        await sleep(periodMs, signal);
        try {
          this.#judge(await api.call("getWebhookInfo", null, { signal, deadlineMs }));
          context.frame();
          if (failures > 0) context.connected();
          failures = 0;
        } catch (reason) {
          const error = GatewayError.from(reason);
          failures += 1;
          if (error.retry.kind === "never" || error.code === "conflict" || failures > mostFailures) throw error;
          context.reconnecting(error.message);
        }
      }
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
  }

  #judge(info: WebhookInfo): void {
    const { url, context } = this.#parts;
    if (info.url !== url) throw takenError(info.url ?? "");
    const failedAt = info.last_error_date ?? 0;
    if (failedAt <= this.#toldErrorDate) return;
    this.#toldErrorDate = failedAt;
    context.log.warn("telegram-webhook-unreachable", {
      error: (info.last_error_message ?? "").slice(0, 200),
      pending: info.pending_update_count,
    });
  }
}

function takenError(url: string): GatewayError {
  const host = URL.parse(url)?.host ?? "";
  const found =
    host === "" ? "another program has deleted the webhook" : `another program has moved the webhook to ${host}`;
  return new GatewayError("conflict", `Cannot receive updates: ${found}`, {
    retry: { kind: "backoff" },
    userAction: "Stop the other program that uses this bot's token, or give this adapter a bot of its own",
  });
}
