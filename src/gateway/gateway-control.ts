/** The gateway as its surfaces see it: each call goes to the one stage that answers it. */
import type {
  DeadLetter,
  GatewayControl,
  GatewayEvent,
  HistoryEntry,
  PlanReport,
  ReloadReport,
  SendReport,
} from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { DeadLetterRow, Journal } from "../contract/journal.ts";
import type { StoredMessage } from "../contract/message.ts";
import type { Response } from "../contract/response.ts";
import type { Condition, GatewayStatus } from "../contract/status.ts";

type SendOutcome = Awaited<ReturnType<GatewayControl["send"]>>;

/** The stages behind the surfaces, as far as they are needed. */
export type ControlParts = {
  status(): GatewayStatus;
  conditions(): readonly Condition[];
  isReady(): boolean;
  readonly reconciler: {
    plan(toml?: string): Promise<PlanReport>;
    reload(options: { readonly waitMs: number }): Promise<ReloadReport>;
  };
  readonly adapters: {
    restart: GatewayControl["restart"];
    pause: GatewayControl["pause"];
    resume: GatewayControl["resume"];
    history(key: string): readonly HistoryEntry[];
    observed(): ReadonlyMap<string, unknown>;
  };
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

const decoder = new TextDecoder();

/** See {@link GatewayControl}. */
export function createControl(parts: ControlParts): GatewayControl {
  const { reconciler, adapters, outbox, deadLetters } = parts;
  return {
    status: () => parts.status(),
    isReady: () => parts.isReady(),
    conditions: () => parts.conditions(),
    plan: (toml) => reconciler.plan(toml),
    reload: (options) => reconciler.reload(options),
    restart: (key, options) => adapters.restart(key, options),
    pause: (key) => adapters.pause(key),
    resume: (key) => adapters.resume(key),
    history: (key) => adapters.history(key),
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
      const { key, conversation } = message;
      return outbox.send({ key, conversation, response, idempotencyKey });
    },
    deadLetters: (options) => deadLetters.list(options),
    async deadLetter(id): Promise<DeadLetter> {
      const found = await deadLetters.get(id);
      if (found === null)
        throw new GatewayError("not_found", `Cannot show ${JSON.stringify(id.slice(0, 64))}: no such dead letter`);
      return { row: found.row, message: JSON.parse(decoder.decode(found.payload)) as StoredMessage };
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
