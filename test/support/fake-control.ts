/** A GatewayControl without a gateway behind it: answers are set by the test, calls are kept in order. */
import { EventRing } from "../../src/admin/event-ring.ts";
import type {
  DeadLetter,
  GatewayControl,
  GatewayEvent,
  HistoryEntry,
  Inspection,
  InspectionRequest,
  PlanReport,
  ReloadReport,
  SendReport,
} from "../../src/contract/control.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { SendState } from "../../src/contract/journal.ts";
import type { DeadLetterRow } from "../../src/contract/journal-query.ts";
import type { AdapterStatus, Condition, GatewayStatus } from "../../src/contract/status.ts";

const since = "2026-01-01T00:00:00.000Z";

/** An adapter's status that is well and idle, but for `parts`. */
export function adapterStatus(parts: Partial<AdapterStatus> & { readonly key: string }): AdapterStatus {
  return {
    platform: parts.key.split(":")[0] ?? parts.key,
    owner: "config",
    state: "running",
    reason: "none",
    message: null,
    userAction: null,
    since,
    attempt: 0,
    nextRetryAt: null,
    generation: 1,
    desiredGeneration: 1,
    observedGeneration: 1,
    deliveryClass: "durable",
    isolation: "auto",
    host: { pid: 4242, kind: "shared", rssBytes: 50_000_000 },
    threadId: 1,
    restarts: 0,
    restartsByReason: {},
    cpu: { userSeconds: 1.5, systemSeconds: 0.5, percent: 12.34 },
    memory: {
      heapBytes: 10_485_760,
      externalBytes: 5_242_880,
      arrayBufferBytes: 1000,
      limitBytes: 268_435_456,
      rssBytes: null,
    },
    eventLoop: { utilization: 0.25, delayP99Ms: 20 },
    clocks: { frame: null, event: null, probe: null },
    messages: { in: 7, out: 3, duplicates: 2, lost: 1, gapSeconds: 4 },
    queue: { pending: 5, leased: 6, dead: 8 },
    conditions: [],
    ...parts,
  };
}

/** A gateway's status with `parts` in place of what is well. */
export function gatewayStatus(parts: Partial<GatewayStatus> = {}): GatewayStatus {
  return {
    version: "0.1.0",
    pid: 4141,
    uptimeSeconds: 7300,
    configGeneration: 3,
    conditions: [],
    coordinator: { cpuPercent: 4.2, rssBytes: 94_371_840, eventLoopDelayP99Ms: 5 },
    hosts: [
      { pid: 4242, kind: "shared", rssBytes: 50_000_000, keys: ["webhook"], restarts: 0, quarantineReason: null },
    ],
    adapters: [adapterStatus({ key: "webhook" })],
    consumers: [{ name: "main", kind: "echo", inFlight: 1, pending: 2, dead: 0, host: null }],
    journal: { bytes: 1024, maxBytes: 2_147_483_648, pending: 5, acked: 9, dead: 0, durability: "full" },
    ...parts,
  };
}

/** A row of the dead letters. */
export function deadLetterRow(parts: Partial<DeadLetterRow> = {}): DeadLetterRow {
  return {
    seq: 11,
    id: "m1",
    key: "webhook",
    conversation: "room",
    consumer: "main",
    attempt: 5,
    notBeforeMs: 0,
    leased: false,
    bytes: 100,
    atMs: Date.parse(since),
    reason: "max_attempts",
    deadAtMs: Date.parse(since) + 60_000,
    error: { code: "internal", message: "boom", stack: "at secret.ts", retry: { kind: "never" }, userAction: null },
    ...parts,
  };
}

/** See the top of the file. Every field that is public may be changed at any time. */
export class FakeControl implements GatewayControl {
  readonly calls: (readonly [name: string, ...parameters: unknown[]])[] = [];
  readonly ring = new EventRing();
  /** Resolves when somebody reads events; what is published after it reaches that reader. */
  readonly subscribed: PromiseWithResolvers<void> = Promise.withResolvers();
  current: GatewayStatus = gatewayStatus();
  ready = true;
  planReport: PlanReport = { configGeneration: 3, actions: [], errors: [] };
  reloadReport: ReloadReport = { ok: true, configGeneration: 4, actions: [] };
  sendReports: SendReport[] = [];
  deadLetterRows: readonly DeadLetterRow[] = [deadLetterRow()];
  /** Thrown by every method but `status`, `isReady` and `conditions` while it is set. */
  failure: Error | null = null;
  latencies: ReturnType<GatewayControl["drainLatencies"]> = { acceptSeconds: [], deliverySeconds: [] };

  status(): GatewayStatus {
    return this.current;
  }

  isReady(): boolean {
    return this.ready;
  }

  conditions(): readonly Condition[] {
    return this.current.conditions;
  }

  async plan(toml?: string): Promise<PlanReport> {
    this.#record("plan", toml);
    return this.planReport;
  }

  async reload(options: { readonly waitMs: number }): Promise<ReloadReport> {
    this.#record("reload", options);
    return this.reloadReport;
  }

  async restart(
    key: string,
    options: { readonly shared: boolean },
  ): Promise<{ readonly key: string; readonly generation: number }> {
    this.#record("restart", key, options);
    return this.#known(key);
  }

  /** Made by a test; what was taken of it is removed by whoever asked. */
  inspection: (() => Inspection) | null = null;

  async inspect(request: InspectionRequest): Promise<Inspection> {
    this.#record("inspect", request);
    this.#known(request.key);
    if (this.inspection === null) throw new GatewayError("adapter_unavailable", "Nothing to look into");
    return this.inspection();
  }

  async pause(key: string): Promise<{ readonly key: string; readonly generation: number }> {
    this.#record("pause", key);
    return this.#known(key);
  }

  async resume(key: string): Promise<{ readonly key: string; readonly generation: number }> {
    this.#record("resume", key);
    return this.#known(key);
  }

  history(key: string): readonly HistoryEntry[] {
    this.#record("history", key);
    this.#known(key);
    return [{ at: since, generation: 1, state: "running", reason: "none", message: null }];
  }

  async send(request: Parameters<GatewayControl["send"]>[0]): Promise<{ id: string; state: SendState }> {
    this.#record("send", request);
    return { id: "s1", state: "queued" };
  }

  async sendReport(id: string): Promise<SendReport> {
    this.#record("sendReport", id);
    const report = this.sendReports.length > 1 ? this.sendReports.shift() : this.sendReports[0];
    if (report === undefined) throw new GatewayError("not_found", `Cannot find send ${id}`);
    return report;
  }

  async respond(request: Parameters<GatewayControl["respond"]>[0]): Promise<{ id: string; state: SendState }> {
    this.#record("respond", request);
    return { id: "s2", state: "queued" };
  }

  async deadLetters(options: { readonly afterSeq: number; readonly limit: number }): Promise<readonly DeadLetterRow[]> {
    this.#record("deadLetters", options);
    return this.deadLetterRows.filter((row) => row.seq > options.afterSeq).slice(0, options.limit);
  }

  async deadLetter(id: string): Promise<DeadLetter> {
    this.#record("deadLetter", id);
    return {
      row: this.#deadLetterRow(id),
      message: {
        id,
        adapter: "webhook",
        platform: "webhook",
        conversation: "room",
        lane: "webhook/room",
        sender: { id: "u1", name: "Ann", isBot: false },
        kind: "text",
        text: "hello",
        attachments: [],
        metadata: {},
        timestamp: since,
      },
    };
  }

  async retryDeadLetter(id: string): Promise<void> {
    this.#record("retryDeadLetter", id);
    this.#deadLetterRow(id);
  }

  async dropDeadLetter(id: string): Promise<void> {
    this.#record("dropDeadLetter", id);
    this.#deadLetterRow(id);
  }

  events(options: { readonly afterId: number | null; readonly signal: AbortSignal }): AsyncIterable<GatewayEvent> {
    this.#record("events", options.afterId);
    const events = this.ring.subscribe(options);
    this.subscribed.resolve();
    return events;
  }

  drainLatencies(): ReturnType<GatewayControl["drainLatencies"]> {
    const { latencies } = this;
    this.latencies = { acceptSeconds: [], deliverySeconds: [] };
    return latencies;
  }

  #record(name: string, ...parameters: unknown[]): void {
    this.calls.push([name, ...parameters]);
    if (this.failure !== null) throw this.failure;
  }

  #known(key: string): { key: string; generation: number } {
    const adapter = this.current.adapters.find((candidate) => candidate.key === key);
    if (adapter === undefined) throw new GatewayError("not_found", `Cannot find adapter "${key}": expected webhook`);
    return { key, generation: (adapter.generation ?? 0) + 1 };
  }

  #deadLetterRow(id: string): DeadLetterRow {
    const row = this.deadLetterRows.find((candidate) => candidate.id === id);
    if (row === undefined) throw new GatewayError("not_found", `Cannot find dead letter "${id}"`);
    return row;
  }
}
