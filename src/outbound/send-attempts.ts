/** One adapter's attempts: what is asked of it, what came of it, and every step of that on disk. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, SendState } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { sleep, steadyNow } from "../support/time.ts";
import { adaptResponse } from "./fallback.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";
import { decodeResponse } from "./response-bytes.ts";
import { withoutPastTime } from "./schedule.ts";
import type { Doubt, OpenSend } from "./send-backlog.ts";
import { afterSendFailure, type AfterFailure } from "./send-failure.ts";
import { stateWrite, type SendStateDetails } from "./send-state.ts";

const sendDeadlineMs = 30_000;
const journalRetryMs = 1000;
const doubtDelayMs = 1000;
const mostTriesInDoubt = 3;

/** What the attempts work with. `signal` is aborted when the gateway ends. */
export type SendAttemptsParts = {
  readonly key: string;
  readonly journal: Pick<Journal, "commit" | "query">;
  readonly adapters: OutboundAdapters;
  readonly logger: Logger;
  readonly onConfirmed: () => void;
  /** A server asks to wait until then before anything more is said in this conversation. */
  readonly onRateLimited: (conversation: string, untilMs: number) => void;
  readonly signal: AbortSignal;
};

/** See the file's head. */
export class SendAttempts {
  readonly #parts: SendAttemptsParts;

  constructor(parts: SendAttemptsParts) {
    this.#parts = parts;
  }

  /** One attempt; what is left to do of this send, or `null` when it is over. Never rejects. */
  async run(send: OpenSend): Promise<OpenSend | null> {
    return send.doubt === null ? this.#send(send) : this.#complete(send, send.doubt);
  }

  async #send(send: OpenSend): Promise<OpenSend | null> {
    const { key, adapters } = this.#parts;
    const attempts = send.attempts + 1;
    if (!(await this.#write(send, "attempted", { attempts }))) return send;
    const begunMs = Date.now();
    // Asked now: it may be dead when its answer is missed.
    const canComplete = adapters.canCompleteSend(key);
    try {
      return await this.#ask({ ...send, attempts }, "send", {});
    } catch (reason) {
      const error = GatewayError.from(reason);
      const next = this.#next(error, { ...send, attempts });
      if (next.kind === "failed") return this.#end({ ...send, attempts }, "failed", error);
      if (next.kind === "unknown")
        return canComplete && error.retry.kind !== "never"
          ? doubted({ ...send, attempts }, { sinceMs: begunMs, tries: 0 })
          : this.#end({ ...send, attempts }, "unknown", error);
      // One that never reached the adapter is no attempt.
      const made = next.kind === "wait" ? send.attempts : attempts;
      const nextAttemptAtMs = steadyNow() + next.delayMs;
      await this.#write(send, "queued", { attempts: made, error: error.toReport(), nextAttemptAtMs });
      return { ...send, attempts: made, nextAttemptAtMs };
    }
  }

  /** Whether it arrived nobody here knows, and a second copy may be worse than none: its adapter finds out, or it is `unknown`. */
  async #complete(send: OpenSend, doubt: Doubt): Promise<OpenSend | null> {
    const { key, adapters } = this.#parts;
    if (!adapters.canCompleteSend(key)) {
      const why = `Cannot tell whether send ${send.row.id} arrived: its answer was lost`;
      return this.#end(send, "unknown", new GatewayError("worker_crashed", why));
    }
    try {
      return await this.#ask(send, "completeSend", { attemptedAt: new Date(doubt.sinceMs).toISOString() });
    } catch (reason) {
      const error = GatewayError.from(reason);
      const next = this.#next(error, send);
      if (next.kind === "failed") return this.#end(send, "failed", error);
      if (next.kind === "unknown")
        return error.retry.kind === "never" || doubt.tries + 1 >= mostTriesInDoubt
          ? this.#end(send, "unknown", error)
          : doubted(send, { ...doubt, tries: doubt.tries + 1 });
      const attempts = next.kind === "wait" ? send.attempts : send.attempts + 1;
      // It stays `attempted` on disk: nothing has changed about what is known of it.
      return { ...send, attempts, nextAttemptAtMs: steadyNow() + next.delayMs };
    }
  }

  async #ask(send: OpenSend, method: "send" | "completeSend", more: Readonly<Record<string, string>>): Promise<null> {
    const { key, adapters } = this.#parts;
    const { row, attempts } = send;
    const { replyTo = null, ...said } = decodeResponse(row.response);
    const response = adaptResponse(withoutPastTime(said, Date.now()), adapters.capabilities(key) ?? {});
    if (response === null) return this.#finish(send, "confirmed", { attempts });
    const { conversation, idempotencyKey } = row;
    const args = { conversation, response, replyTo, idempotencyKey, ...more };
    const receipt = await adapters.call(key, method, args, { deadlineMs: sendDeadlineMs });
    return this.#finish(send, "confirmed", { attempts, platformMessageId: platformIdOf(receipt) });
  }

  #next(error: GatewayError, { row, attempts }: OpenSend): AfterFailure {
    if (error.code === "rate_limited" && error.retry.kind === "after")
      this.#parts.onRateLimited(row.conversation, steadyNow() + error.retry.delayMs);
    return afterSendFailure(error, { attempts, ageMs: steadyNow() - row.atMs }, Math.random());
  }

  async #end(send: OpenSend, state: "unknown" | "failed", error: GatewayError): Promise<null> {
    const { key, logger } = this.#parts;
    logger.warn("send-failed", { key, sendId: send.row.id, state, error: error.message });
    return this.#finish(send, state, { attempts: send.attempts, error: error.toReport() });
  }

  async #finish(send: OpenSend, state: SendState, details: SendStateDetails): Promise<null> {
    await this.#write(send, state, details);
    if (state === "confirmed") this.#parts.onConfirmed();
    return null;
  }

  /** Until it is on disk: a state that is only in memory would be told wrong after a restart. `false`: the gateway ends. */
  async #write(send: OpenSend, state: SendState, details: SendStateDetails): Promise<boolean> {
    const { journal, logger, signal } = this.#parts;
    const write = stateWrite(send.row, state, { attempts: send.attempts, ...details });
    while (!signal.aborted) {
      try {
        await journal.commit([write]);
        return true;
      } catch (reason) {
        logger.warn("send-state-not-written", { sendId: send.row.id, error: GatewayError.from(reason).message });
        await sleep(journalRetryMs, signal).catch(() => {
          // Being disposed: the loop's condition ends it.
        });
      }
    }
    return false;
  }
}

/** To be found out in a moment: an adapter that has just died has one to come back. */
function doubted(send: OpenSend, doubt: Doubt): OpenSend {
  return { ...send, doubt, nextAttemptAtMs: steadyNow() + doubtDelayMs };
}

function platformIdOf(receipt: unknown): string | null {
  const id = (receipt as { platformMessageId?: unknown } | null)?.platformMessageId;
  return typeof id === "string" ? id.slice(0, 512) : null;
}
