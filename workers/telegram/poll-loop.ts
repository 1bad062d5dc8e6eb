/** Long polling: one request after the other, and the offset of the next one only when what the last one brought is on disk. */
import type { Update } from "grammy/types";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { orAborted, sleep, steadyNow } from "../../src/support/time.ts";
import type { TelegramApi } from "./api.ts";
import { TelegramError } from "./api-error.ts";
import {
  afterPollFailure,
  conflictError,
  conflictMemoryMs,
  isWebhookConflict,
  pollWindowSeconds,
} from "./poll-recovery.ts";
import { allowedUpdates } from "./translate-update.ts";
import type { UpdateIntake } from "./update-intake.ts";

/** Telegram's own most. */
const batchLimit = 100;
/** What an answer may take beyond the window. */
const graceMs = 5_000;
/** An empty answer that came at once: whoever answers does not hold polls, and must not be asked without pause. */
const hastyAnswerMs = 200;
const hastyPauseMs = 1_000;
const longestAcceptPauseMs = 30_000;

/** What the loop works with. */
export type PollLoopParts = {
  readonly context: Pick<AdapterContext, "log" | "frame" | "reconnecting" | "connected">;
  readonly api: TelegramApi;
  readonly intake: Pick<UpdateIntake, "accept" | "offset">;
  /** Takes away a webhook that keeps us from polling, or rejects with why not. */
  readonly leaveWebhook: (signal: AbortSignal) => Promise<void>;
};

/** One bot's polls. */
export class PollLoop {
  /** Settles when polling is over; rejects with why, unless it was stopped. */
  readonly closed: Promise<void>;
  readonly #parts: PollLoopParts;
  readonly #ending = new AbortController();
  #conflicts = 0;
  #lastConflictAtMs = Number.NEGATIVE_INFINITY;

  private constructor(parts: PollLoopParts, first: readonly Update[]) {
    this.#parts = parts;
    this.closed = this.#run(first);
    // Whoever does not watch it must not be ended by it.
    this.closed.catch(() => {});
  }

  /** Polls once, so that a second poller and a refused token are known at once. @throws {GatewayError} `conflict` and others. */
  static async start(parts: PollLoopParts, signal: AbortSignal): Promise<PollLoop> {
    for (let conflicts = 1; ; conflicts += 1) {
      try {
        return new PollLoop(parts, await pollOnce(parts, { windowSeconds: 0, signal }));
      } catch (reason) {
        const error = GatewayError.from(reason);
        if (error.code !== "conflict") throw error;
        if (conflicts === 1 && isWebhookConflict(error)) {
          await parts.leaveWebhook(signal);
          continue;
        }
        const next = afterPollFailure(error, { count: conflicts, conflicts });
        if (next.kind === "end") throw conflictError(error);
        parts.api.renewPollConnection();
        await sleep(next.delayMs, signal);
      }
    }
  }

  /** Ends the poll under way; what it would have brought, the next life gets. */
  async stop(): Promise<void> {
    this.#ending.abort(new GatewayError("adapter_unavailable", "Polling has been stopped"));
    await this.closed.catch(() => {});
  }

  async #run(first: readonly Update[]): Promise<void> {
    const { signal } = this.#ending;
    let updates = first;
    try {
      for (;;) {
        if (updates.length > 0) await this.#accept(updates);
        updates = await this.#poll();
      }
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
  }

  /** The next updates; none at the end of a window. Survives what passes by itself. */
  async #poll(): Promise<readonly Update[]> {
    const { context, api } = this.#parts;
    const { signal } = this.#ending;
    let count = 0;
    for (;;) {
      try {
        const startedAtMs = steadyNow();
        const updates = await pollOnce(this.#parts, { windowSeconds: pollWindowSeconds, signal });
        if (count > 0) context.connected();
        if (updates.length === 0 && steadyNow() - startedAtMs < hastyAnswerMs) await sleep(hastyPauseMs, signal);
        return updates;
      } catch (reason) {
        signal.throwIfAborted();
        const error = this.#told(GatewayError.from(reason));
        count += 1;
        const next = afterPollFailure(error, { count, conflicts: this.#conflicts });
        if (next.kind === "end") throw error;
        context.log.warn("telegram-poll-failed", { error: error.message, retryInMs: next.delayMs });
        context.reconnecting(error.message);
        // Telegram ties a session to its connection: the next one begins anew.
        api.renewPollConnection();
        await sleep(next.delayMs, signal);
      }
    }
  }

  /** Counts conflicts, and says of one what to do. Two pollers end each other in turns: neither fails twice in a row. */
  #told(error: GatewayError): GatewayError {
    if (error.code !== "conflict") return error;
    const nowMs = steadyNow();
    this.#conflicts = nowMs - this.#lastConflictAtMs < conflictMemoryMs ? this.#conflicts + 1 : 1;
    this.#lastConflictAtMs = nowMs;
    return conflictError(error);
  }

  /** Until the journal has them: what cannot be stored is not fetched. */
  async #accept(updates: readonly Update[]): Promise<void> {
    const { context, intake } = this.#parts;
    const { signal } = this.#ending;
    // An old update may come once more: what is on disk stays there.
    const offset = Math.max(intake.offset ?? 0, ...updates.map((update) => update.update_id + 1));
    for (let pauseMs = 1_000; ; pauseMs = Math.min(pauseMs * 2, longestAcceptPauseMs)) {
      try {
        // Stopped meanwhile, nobody waits for the journal: what it has not taken, Telegram gives again.
        await orAborted(intake.accept(updates, offset), signal);
        return;
      } catch (reason) {
        signal.throwIfAborted();
        const error = GatewayError.from(reason);
        const waitMs = error.retry.kind === "after" ? Math.min(error.retry.delayMs, longestAcceptPauseMs) : pauseMs;
        context.log.warn("telegram-updates-wait", { error: error.message, retryInMs: waitMs });
        // Telegram is not to blame for the silence.
        context.frame();
        await sleep(waitMs, signal);
      }
    }
  }
}

async function pollOnce(
  { api, intake, context }: PollLoopParts,
  { windowSeconds, signal }: { readonly windowSeconds: number; readonly signal: AbortSignal },
): Promise<readonly Update[]> {
  const { offset } = intake;
  const answer: unknown = await api.call(
    "getUpdates",
    {
      ...(offset === null ? {} : { offset }),
      limit: batchLimit,
      timeout: windowSeconds,
      allowed_updates: allowedUpdates,
    },
    { signal, deadlineMs: windowSeconds * 1000 + graceMs },
  );
  const updates = Array.isArray(answer) ? answer.filter(isUpdate) : [];
  // Without a single number there is no offset to go on from, and the same would come again at once.
  if (!Array.isArray(answer) || (answer.length > 0 && updates.length === 0))
    throw new TelegramError("platform_unavailable", "Cannot call getUpdates: the answer holds no updates", {
      status: 0,
      description: "",
    });
  if (updates.length < answer.length)
    context.log.warn("telegram-updates-unreadable", { count: answer.length - updates.length });
  context.frame();
  return updates;
}

/** Numbered, whatever else is in it. */
function isUpdate(value: unknown): value is Update {
  return typeof value === "object" && value !== null && "update_id" in value && Number.isSafeInteger(value.update_id);
}
