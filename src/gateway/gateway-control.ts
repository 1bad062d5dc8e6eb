/** The gateway as its surfaces see it: each call goes to the one stage that answers it. */
import type {
  DeadLetter,
  GatewayControl,
  GatewayEvent,
  HistoryEntry,
  Inspection,
  InspectionRequest,
  PlannedConfig,
  PlanReport,
  ReloadReport,
  SendReport,
} from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Journal } from "../contract/journal.ts";
import type { DeadLetterRow } from "../contract/journal-query.ts";
import { openStoredMessage } from "../contract/open-message.ts";
import { withReplyTo } from "../contract/reply-to.ts";
import type { Response } from "../contract/response.ts";
import type { Condition, GatewayStatus } from "../contract/status.ts";
import { withDeadline } from "../support/time.ts";

type Ordered = { readonly key: string; readonly generation: number };
type SendOutcome = Awaited<ReturnType<GatewayControl["send"]>>;

/** The stages behind the surfaces, as far as they are needed. */
export type ControlParts = {
  status(): GatewayStatus;
  conditions(): readonly Condition[];
  isReady(): boolean;
  readonly reconciler: {
    plan(config?: PlannedConfig): Promise<PlanReport>;
    reload(options: { readonly waitMs: number }): Promise<ReloadReport>;
  };
  readonly adapters: {
    restart(key: string, options: { readonly shared: boolean }): Ordered;
    pause(key: string): Ordered;
    resume(key: string): Ordered;
    history(key: string): readonly HistoryEntry[];
    observed(): ReadonlyMap<string, unknown>;
  };
  readonly inspections: { take(request: InspectionRequest): Promise<Inspection> };
  /** Where pauses are kept. */
  readonly store: { flush(): Promise<void> };
  parseTarget(text: string, keys: ReadonlySet<string>): { readonly key: string; readonly conversation: string };
  readonly outbox: {
    send(send: {
      readonly key: string;
      readonly conversation: string;
      readonly response: Response;
      readonly idempotencyKey: string | null;
    }): Promise<SendOutcome>;
    report(id: string): Promise<SendReport>;
  };
  readonly journal: Pick<Journal, "query">;
  readonly deadLetters: {
    list(options: { readonly afterSeq: number; readonly limit: number }): Promise<readonly DeadLetterRow[]>;
    get(id: string): Promise<{ readonly row: DeadLetterRow; readonly payload: Uint8Array } | null>;
    retry(id: string): Promise<void>;
    drop(id: string): Promise<void>;
  };
  events(options: { readonly afterId: number | null; readonly signal: AbortSignal }): AsyncIterable<GatewayEvent>;
  /** Milliseconds. */
  drainLatencies(): { readonly accept: readonly number[]; readonly delivery: readonly number[] };
};

/** An operator waits no longer than this for the disk. */
const keepDeadlineMs = 2000;

/** See {@link GatewayControl}. */
export function createControl(parts: ControlParts): GatewayControl {
  const { reconciler, adapters, outbox, deadLetters } = parts;
  const kept = async (order: () => Ordered): Promise<Ordered> => {
    const ordered = order();
    await withDeadline(parts.store.flush(), keepDeadlineMs, "Keeping an order on disk").catch(() => {
      // It is carried out all the same; the store has logged why it is not on disk, and goes on trying.
    });
    return ordered;
  };
  return {
    status: () => parts.status(),
    isReady: () => parts.isReady(),
    conditions: () => parts.conditions(),
    plan: (config) => reconciler.plan(config),
    reload: (options) => reconciler.reload(options),
    restart: (key, options) => kept(() => adapters.restart(key, options)),
    pause: (key) => kept(() => adapters.pause(key)),
    resume: (key) => kept(() => adapters.resume(key)),
    history: (key) => adapters.history(key),
    inspect: (request) => parts.inspections.take(request),
    async send({ target, response, idempotencyKey }) {
      const place = parts.parseTarget(target, new Set(adapters.observed().keys()));
      return outbox.send({ ...place, response, idempotencyKey });
    },
    sendReport: (id) => outbox.report(id),
    async respond({ messageId, response, idempotencyKey }) {
      const message = await parts.journal.query("message", { id: messageId });
      if (message === null)
        throw new GatewayError(
          "not_found",
          `Cannot respond to ${JSON.stringify(messageId.slice(0, 64))}: no such message`,
        );
      const { key, conversation, payload } = message;
      const { replyTo = null } = openStoredMessage(payload);
      return outbox.send({ key, conversation, response: withReplyTo(response, replyTo), idempotencyKey });
    },
    deadLetters: (options) => deadLetters.list(options),
    async deadLetter(id): Promise<DeadLetter> {
      const found = await deadLetters.get(id);
      if (found === null)
        throw new GatewayError("not_found", `Cannot show ${JSON.stringify(id.slice(0, 64))}: no such dead letter`);
      return { row: found.row, message: openStoredMessage(found.payload) };
    },
    retryDeadLetter: (id) => deadLetters.retry(id),
    dropDeadLetter: (id) => deadLetters.drop(id),
    events: (options) => parts.events(options),
    drainLatencies() {
      const { accept, delivery } = parts.drainLatencies();
      return { acceptSeconds: accept.map(toSeconds), deliverySeconds: delivery.map(toSeconds) };
    },
  };
}

function toSeconds(milliseconds: number): number {
  return milliseconds / 1000;
}
