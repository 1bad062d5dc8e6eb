/** What every surface can do with a gateway: the admin API, the command line behind it, pm2 and the library. */
import type { InspectionMethod } from "./protocol.ts";
import type { AdapterStatus, Condition, GatewayStatus } from "./status.ts";
import type { ConfigIssue } from "./spec.ts";
import type { SendState } from "./journal.ts";
import type { DeadLetterRow } from "./journal-query.ts";
import type { ErrorReport } from "./errors.ts";
import type { StoredMessage } from "./message.ts";
import type { Response } from "./response.ts";

/** What a reconcile does about one runtime key or consumer. */
export const planActionKinds = ["start", "stop", "replace", "repolicy", "keep", "invalid"] as const;
/** One of {@link planActionKinds}. */
export type PlanActionKind = (typeof planActionKinds)[number];

/** One line of a plan. `fields`: what differs, by config path below the table, without values. Consumers have keys `consumer:NAME`. */
export type PlanAction = {
  readonly key: string;
  readonly action: PlanActionKind;
  readonly reason: string;
  readonly fields: readonly string[];
};

/** `GET /v1/plan`. */
export type PlanReport = {
  readonly configGeneration: number;
  readonly actions: readonly PlanAction[];
  readonly errors: readonly ConfigIssue[];
};

/** A config that is not in force: TOML, a file, or a value with the same keys. */
export type PlannedConfig = string | { readonly path: string } | { readonly value: unknown };

/** One line of a reload. `outcome`: `pending` unless it was waited for. */
export type ReloadAction = {
  readonly key: string;
  readonly action: PlanActionKind;
  readonly reason: string;
  readonly outcome: "pending" | "done" | "failed" | "unchanged";
};

/** `POST /v1/reload`: refused as a whole, or what was set going. */
export type ReloadReport =
  | { readonly ok: true; readonly configGeneration: number; readonly actions: readonly ReloadAction[] }
  | { readonly ok: false; readonly errors: readonly ConfigIssue[] };

/** `GET /v1/sends/{id}`. */
export type SendReport = {
  readonly id: string;
  readonly state: SendState;
  readonly receipt: { readonly platformMessageId: string | null } | null;
  readonly error: ErrorReport | null;
};

/** One entry of an adapter's timeline. */
export type HistoryEntry = {
  readonly at: string;
  readonly generation: number | null;
  readonly state: AdapterStatus["state"];
  readonly reason: AdapterStatus["reason"];
  readonly message: string | null;
};

/** A dead letter with the message it is about. */
export type DeadLetter = { readonly row: DeadLetterRow; readonly message: StoredMessage };

/** What `/v1/events` streams. `id` rises by one; a ring keeps the last 1,000. */
export type GatewayEvent = {
  readonly id: number;
  readonly event: "state" | "message" | "condition" | "log";
  readonly data: Readonly<Record<string, unknown>>;
};

/** What is to be looked into. `seconds`: how long a profile takes, 1 to 300; of no meaning for a snapshot. */
export type InspectionRequest = { readonly key: string; readonly kind: InspectionMethod; readonly seconds: number };

/** A file for developer tools; disposing removes it. */
export type Inspection = AsyncDisposable & {
  readonly path: string;
  /** As people save it: `discord-ops.heapsnapshot`. */
  readonly name: string;
};

/** The gateway as its surfaces see it. Every failure is a GatewayError. */
export interface GatewayControl {
  status(): GatewayStatus;
  /** The journal can be written and the first reconcile is done. */
  isReady(): boolean;
  conditions(): readonly Condition[];
  /** Against the file as it is now, or against another config. */
  plan(config?: PlannedConfig): Promise<PlanReport>;
  reload(options: { readonly waitMs: number }): Promise<ReloadReport>;
  /** Orders of an operator. Each resolves when it holds across restarts of the gateway too. Rejects with `not_found`. */
  restart(
    key: string,
    options: { readonly shared: boolean },
  ): Promise<{ readonly key: string; readonly generation: number }>;
  pause(key: string): Promise<{ readonly key: string; readonly generation: number }>;
  resume(key: string): Promise<{ readonly key: string; readonly generation: number }>;
  history(key: string): readonly HistoryEntry[];
  /** @throws {GatewayError} `conflict` while another one is taken, `not_found`, `adapter_unavailable`, `timeout`. */
  inspect(request: InspectionRequest): Promise<Inspection>;
  /** `target` is `KEY/ADDRESS`. @throws {GatewayError} `invalid_request` listing candidates, `not_found`. */
  send(request: {
    readonly target: string;
    readonly response: Response;
    readonly idempotencyKey: string | null;
  }): Promise<{ readonly id: string; readonly state: SendState }>;
  sendReport(id: string): Promise<SendReport>;
  respond(request: {
    readonly messageId: string;
    readonly response: Response;
    readonly idempotencyKey: string | null;
  }): Promise<{ readonly id: string; readonly state: SendState }>;
  deadLetters(options: { readonly afterSeq: number; readonly limit: number }): Promise<readonly DeadLetterRow[]>;
  deadLetter(id: string): Promise<DeadLetter>;
  retryDeadLetter(id: string): Promise<void>;
  dropDeadLetter(id: string): Promise<void>;
  /** Events after `afterId` from the ring, then as they come, until the signal. A slow reader loses the oldest. */
  events(options: { readonly afterId: number | null; readonly signal: AbortSignal }): AsyncIterable<GatewayEvent>;
  /** Latencies as they were observed, for `/metrics`; draining empties it. */
  drainLatencies(): { readonly acceptSeconds: readonly number[]; readonly deliverySeconds: readonly number[] };
}
