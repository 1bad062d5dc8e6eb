/** `GET /v1/status`, put together from what each stage knows. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { JournalCounts } from "../contract/journal-query.ts";
import type {
  AdapterStatus,
  Condition,
  ConsumerStatus,
  GatewayStatus,
  HostStatus,
  JournalStatus,
} from "../contract/status.ts";
import { every } from "../support/time.ts";

/** What the flow counts for one adapter. */
export type AdapterCounts = {
  readonly in: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly pending: number;
  readonly leased: number;
  readonly dead: number;
};

/** Every stage's part of the status. */
export type StatusSources = {
  readonly version: string;
  readonly reconciler: { readonly configGeneration: number };
  readonly conditions: { list(): readonly Condition[] };
  readonly hosts: { status(): readonly HostStatus[] };
  readonly adapters: { statuses(): readonly Omit<AdapterStatus, "messages" | "queue">[] };
  readonly flow: { counts(): { readonly keys: Readonly<Record<string, AdapterCounts>> } };
  readonly outbox: { sentCount(key: string): number };
  /** Time in which messages may have been lost. */
  readonly missed: { gapSeconds(key: string): number };
  readonly consumers: { statuses(): readonly ConsumerStatus[] };
  readonly journal: { readonly durability: JournalStatus["durability"]; readonly maxBytes: () => number };
};

const emptyCounts: JournalCounts = {
  pending: 0,
  acked: 0,
  dead: 0,
  unackedBytes: 0,
  ackedBytes: 0,
  bytes: 0,
  deadByKey: {},
  deadByConsumer: {},
  unackedBytesByKey: {},
};

const noCounts: AdapterCounts = { in: 0, duplicates: 0, lost: 0, pending: 0, leased: 0, dead: 0 };

/** The whole status. Taken from memory: it waits for nothing. */
export function assembleStatus(sources: StatusSources, self: CoordinatorMeter): GatewayStatus {
  const { counts } = self;
  const byKey = sources.flow.counts().keys;
  const quarantines = new Map(
    sources.adapters
      .statuses()
      .flatMap(({ key, conditions }) =>
        conditions
          .filter(({ code }) => code === "host_quarantine")
          .map(({ message }): [string, string] => [key, message]),
      ),
  );
  return {
    version: sources.version,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    configGeneration: sources.reconciler.configGeneration,
    conditions: sources.conditions.list(),
    coordinator: self.read(),
    hosts: sources.hosts.status().map((host) => ({
      ...host,
      quarantineReason: host.kind === "own" ? (quarantines.get(host.keys[0] ?? "") ?? null) : null,
    })),
    adapters: sources.adapters.statuses().map((adapter) => {
      const { in: received, duplicates, lost, pending, leased, dead } = byKey[adapter.key] ?? noCounts;
      return {
        ...adapter,
        messages: {
          in: received,
          out: sources.outbox.sentCount(adapter.key),
          duplicates,
          lost,
          gapSeconds: round(sources.missed.gapSeconds(adapter.key)),
        },
        queue: { pending, leased, dead },
      };
    }),
    consumers: sources.consumers.statuses(),
    journal: {
      bytes: counts.bytes,
      maxBytes: sources.journal.maxBytes(),
      pending: counts.pending,
      acked: counts.acked,
      dead: counts.dead,
      durability: sources.journal.durability,
    },
  };
}

const meterPeriodMs = 1000;
/** p99 over this much time; older delays are forgotten. */
const delayWindowMs = 10_000;

/** What the coordinator measures of itself, and the journal's counts, which only its thread knows. */
export class CoordinatorMeter implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #timer: Disposable;
  readonly #readCounts: () => Promise<JournalCounts>;
  #cpu = process.cpuUsage();
  #atMs = performance.now();
  #windowStartMs = performance.now();
  #cpuPercent = 0;
  #lastWindowP99Ms = 0;
  counts: JournalCounts = emptyCounts;

  /** `readCounts` is asked once a second; it may fail while the journal is in trouble. */
  constructor(readCounts: () => Promise<JournalCounts>) {
    this.#delay.enable();
    this.#readCounts = readCounts;
    void this.#count();
    this.#timer = every(
      meterPeriodMs,
      () => this.#measure(),
      () => {},
    );
  }

  /** The last measurement. */
  read(): GatewayStatus["coordinator"] {
    const p99Ms = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e6;
    return {
      cpuPercent: this.#cpuPercent,
      rssBytes: process.memoryUsage.rss(),
      // The histogram counts from its own timer's period on: what is beyond that is delay.
      eventLoopDelayP99Ms: round(Math.max(0, Math.max(p99Ms, this.#lastWindowP99Ms) - 10)),
    };
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#delay.disable();
  }

  #measure(): void {
    const nowMs = performance.now();
    const used = process.cpuUsage(this.#cpu);
    this.#cpuPercent = round((used.user + used.system) / 10 / (nowMs - this.#atMs));
    this.#cpu = process.cpuUsage();
    this.#atMs = nowMs;
    if (nowMs - this.#windowStartMs >= delayWindowMs) {
      this.#lastWindowP99Ms = this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e6;
      this.#delay.reset();
      this.#windowStartMs = nowMs;
    }
    void this.#count();
  }

  async #count(): Promise<void> {
    try {
      this.counts = await this.#readCounts();
    } catch {
      // The journal's trouble is a condition of its own; the last counts stand meanwhile.
    }
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
