/** What is asked of an adapter about a conversation without being a send: it is not stored, and not tried again. */
import { GatewayError } from "../contract/errors.ts";
import type { HistoryMessage, ReplyTo } from "../contract/message.ts";
import type { StatusUpdate } from "../contract/response.ts";
import type { Logger } from "../support/logger.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";

const statusDeadlineMs = 10_000;
const historyDeadlineMs = 15_000;

type Place = { readonly key: string; readonly conversation: string };

/** Status and history, through the running adapters. */
export class ConversationCalls {
  readonly #adapters: OutboundAdapters;
  readonly #logger: Logger;

  constructor(parts: { readonly adapters: OutboundAdapters; readonly logger: Logger }) {
    this.#adapters = parts.adapters;
    this.#logger = parts.logger;
  }

  /** Shows what the bot is busy with. Where it cannot be shown it is not; never rejects. */
  async setStatus({
    key,
    ...args
  }: Place & { readonly status: StatusUpdate; readonly replyTo: ReplyTo | null }): Promise<void> {
    if (!this.#adapters.isRunning(key)) return;
    try {
      await this.#adapters.call(key, "setStatus", args, { deadlineMs: statusDeadlineMs });
    } catch (reason) {
      this.#logger.debug("status-not-shown", {
        key,
        conversation: args.conversation,
        error: GatewayError.from(reason).message,
      });
    }
  }

  /** Past messages, oldest first; none where the platform has none. @throws {GatewayError} what the adapter answered. */
  async history(
    request: Place & { readonly limit: number; readonly before: string | null; readonly replyTo: ReplyTo | null },
  ): Promise<readonly HistoryMessage[]> {
    const { key, ...args } = request;
    const found = await this.#adapters.call(key, "history", args, { deadlineMs: historyDeadlineMs });
    // Each entry is the adapter's own; the list is handed on to the user's handler as it is.
    return Array.isArray(found) ? (found as readonly HistoryMessage[]) : [];
  }
}
