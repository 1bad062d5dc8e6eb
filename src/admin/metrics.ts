/** `GET /metrics`: what the status says, as Prometheus text. Filled anew at each scrape, so that a removed adapter vanishes. */
import type * as Prometheus from "prom-client";
import type { GatewayControl } from "../contract/control.ts";
import { adapterStates, type AdapterStatus, type GatewayStatus } from "../contract/status.ts";

/** The scrape. */
export interface Metrics {
  readonly contentType: string;
  /** The Prometheus text of this moment. */
  text(): Promise<string>;
}

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
type Family = {
  readonly name: string;
  readonly help: string;
  readonly kind: "gauge" | "counter";
  readonly labelNames: readonly string[];
  readonly samples: (status: GatewayStatus) => readonly Sample[];
};

const acceptBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const deliveryBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

const families: readonly Family[] = [
  ofAdapter("gauge", "up", "1 while the adapter is running", (adapter) => (adapter.state === "running" ? 1 : 0)),
  {
    name: "bulkhead_adapter_state",
    help: "1 for the state the adapter is in, 0 for the others",
    kind: "gauge",
    labelNames: ["adapter", "state"],
    samples: (status) =>
      status.adapters.flatMap((adapter) =>
        adapterStates.map((state) => ({
          labels: { adapter: adapter.key, state },
          value: adapter.state === state ? 1 : 0,
        })),
      ),
  },
  ofAdapter(
    "counter",
    "cpu_seconds_total",
    "CPU time of the adapter's thread",
    ({ cpu }) => cpu.userSeconds + cpu.systemSeconds,
  ),
  ofAdapter("gauge", "heap_bytes", "V8 heap of the adapter's thread", ({ memory }) => memory.heapBytes),
  ofAdapter(
    "gauge",
    "external_bytes",
    "Memory outside the heap, array buffers included",
    ({ memory }) => memory.externalBytes,
  ),
  ofAdapter("gauge", "memory_limit_bytes", "The adapter's memory limit", ({ memory }) => memory.limitBytes),
  ofAdapter(
    "gauge",
    "event_loop_utilization",
    "Share of time the thread's event loop is busy, 0 to 1",
    ({ eventLoop }) => eventLoop.utilization,
  ),
  ofAdapter(
    "gauge",
    "event_loop_delay_seconds",
    "Delay of the thread's event loop, 99th percentile",
    ({ eventLoop }) => eventLoop.delayP99Ms / 1000,
  ),
  {
    name: "bulkhead_adapter_restarts_total",
    help: "Restarts of the adapter by reason",
    kind: "counter",
    labelNames: ["adapter", "reason"],
    samples: (status) =>
      status.adapters.flatMap((adapter) =>
        Object.entries(adapter.restartsByReason).map(([reason, value]) => ({
          labels: { adapter: adapter.key, reason },
          value,
        })),
      ),
  },
  ofAdapter("counter", "messages_in_total", "Messages accepted", ({ messages }) => messages.in),
  ofAdapter("counter", "messages_out_total", "Messages sent to the platform", ({ messages }) => messages.out),
  ofAdapter("counter", "duplicates_total", "Messages that were already known", ({ messages }) => messages.duplicates),
  ofAdapter("counter", "lost_messages_total", "Messages known to be lost", ({ messages }) => messages.lost),
  ofAdapter(
    "counter",
    "gap_seconds_total",
    "Time in which the platform may have sent what was not recovered",
    ({ messages }) => messages.gapSeconds,
  ),
  ofQueue("pending", "Messages that wait for their consumer"),
  ofQueue("leased", "Messages that are being handled"),
  ofQueue("dead", "Dead letters"),
  {
    name: "bulkhead_coordinator_event_loop_delay_seconds",
    help: "Delay of the coordinator's event loop, 99th percentile",
    kind: "gauge",
    labelNames: [],
    samples: ({ coordinator }) => [{ labels: {}, value: coordinator.eventLoopDelayP99Ms / 1000 }],
  },
  {
    name: "bulkhead_host_rss_bytes",
    help: "Resident memory of a host process",
    kind: "gauge",
    labelNames: ["pid", "kind"],
    samples: ({ hosts }) =>
      hosts.map((host) => ({ labels: { pid: String(host.pid), kind: host.kind }, value: host.rssBytes })),
  },
  {
    name: "bulkhead_journal_bytes",
    help: "Size of the journal",
    kind: "gauge",
    labelNames: [],
    samples: ({ journal }) => [{ labels: {}, value: journal.bytes }],
  },
];

/** What every scrape answers with (`Registry.PROMETHEUS_CONTENT_TYPE`). */
const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** The library is loaded with the first scrape: who scrapes nothing does not pay for it. */
export function createMetrics(control: Pick<GatewayControl, "status" | "drainLatencies">): Metrics {
  let text: Promise<() => Promise<string>> | null = null;
  return {
    contentType,
    async text() {
      text ??= createRegistry(control);
      return (await text)();
    },
  };
}

/** A registry of its own: nothing of the process-wide one is touched. Resolves to the scrape. */
async function createRegistry(
  control: Pick<GatewayControl, "status" | "drainLatencies">,
): Promise<() => Promise<string>> {
  const library = await import("prom-client");
  const registry = new library.Registry();
  const fillers = families.map((family) => register(library, family, registry));
  const accept = new library.Histogram({
    name: "bulkhead_accept_latency_seconds",
    help: "From an adapter's emit to on disk",
    buckets: acceptBuckets,
    registers: [registry],
  });
  const delivery = new library.Histogram({
    name: "bulkhead_delivery_latency_seconds",
    help: "From accepted to acknowledged by the consumer",
    buckets: deliveryBuckets,
    registers: [registry],
  });
  return () => {
    const status = control.status();
    for (const fill of fillers) fill(status);
    const { acceptSeconds, deliverySeconds } = control.drainLatencies();
    for (const seconds of acceptSeconds) accept.observe(seconds);
    for (const seconds of deliverySeconds) delivery.observe(seconds);
    return registry.metrics();
  };
}

function register(
  { Counter, Gauge }: typeof Prometheus,
  family: Family,
  registry: Prometheus.Registry,
): (status: GatewayStatus) => void {
  const configuration = {
    name: family.name,
    help: family.help,
    labelNames: [...family.labelNames],
    registers: [registry],
  };
  const metric = family.kind === "gauge" ? new Gauge(configuration) : new Counter(configuration);
  return (status) => {
    metric.reset();
    for (const sample of family.samples(status)) metric.inc(sample.labels, sample.value);
  };
}

function ofAdapter(
  kind: "gauge" | "counter",
  name: string,
  help: string,
  value: (adapter: AdapterStatus) => number,
): Family {
  return {
    name: `bulkhead_adapter_${name}`,
    help,
    kind,
    labelNames: ["adapter"],
    samples: (status) =>
      status.adapters.map((adapter) => ({ labels: { adapter: adapter.key }, value: value(adapter) })),
  };
}

function ofQueue(name: "pending" | "leased" | "dead", help: string): Family {
  return {
    ...ofAdapter("gauge", "", help, ({ queue }) => queue[name]),
    name: `bulkhead_queue_${name}`,
  };
}
