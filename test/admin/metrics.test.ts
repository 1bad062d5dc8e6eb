import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { register } from "prom-client";
import { createMetrics } from "../../src/admin/metrics.ts";
import { adapterStatus, FakeControl, gatewayStatus } from "../support/fake-control.ts";

const adapterNames = [
  "up",
  "state",
  "cpu_seconds_total",
  "heap_bytes",
  "external_bytes",
  "memory_limit_bytes",
  "event_loop_utilization",
  "event_loop_delay_seconds",
  "restarts_total",
  "messages_in_total",
  "messages_out_total",
  "duplicates_total",
  "lost_messages_total",
  "gap_seconds_total",
];
const otherNames = [
  "queue_pending",
  "queue_leased",
  "queue_dead",
  "coordinator_event_loop_delay_seconds",
  "host_rss_bytes",
  "journal_bytes",
  "accept_latency_seconds",
  "delivery_latency_seconds",
];

function lines(text: string, start: string): readonly string[] {
  return text.split("\n").filter((line) => line.startsWith(start));
}

describe("createMetrics()", () => {
  it("exports exactly the published names", async () => {
    const text = await createMetrics(new FakeControl()).text();
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    assert.deepEqual(names, [
      ...adapterNames.map((name) => `bulkhead_adapter_${name}`),
      ...otherNames.map((name) => `bulkhead_${name}`),
    ]);
  });

  it("takes every value from the status, in base units", async () => {
    const control = new FakeControl();
    const adapter = adapterStatus({ key: "discord:ops", restartsByReason: { hung: 2, crashed: 1 } });
    control.current = gatewayStatus({ adapters: [adapter] });
    const text = await createMetrics(control).text();
    for (const line of [
      'bulkhead_adapter_up{adapter="discord:ops"} 1',
      'bulkhead_adapter_state{adapter="discord:ops",state="running"} 1',
      'bulkhead_adapter_state{adapter="discord:ops",state="backing_off"} 0',
      'bulkhead_adapter_cpu_seconds_total{adapter="discord:ops"} 2',
      'bulkhead_adapter_heap_bytes{adapter="discord:ops"} 10485760',
      'bulkhead_adapter_external_bytes{adapter="discord:ops"} 5242880',
      'bulkhead_adapter_memory_limit_bytes{adapter="discord:ops"} 268435456',
      'bulkhead_adapter_event_loop_utilization{adapter="discord:ops"} 0.25',
      'bulkhead_adapter_event_loop_delay_seconds{adapter="discord:ops"} 0.02',
      'bulkhead_adapter_restarts_total{adapter="discord:ops",reason="hung"} 2',
      'bulkhead_adapter_restarts_total{adapter="discord:ops",reason="crashed"} 1',
      'bulkhead_adapter_messages_in_total{adapter="discord:ops"} 7',
      'bulkhead_adapter_messages_out_total{adapter="discord:ops"} 3',
      'bulkhead_adapter_duplicates_total{adapter="discord:ops"} 2',
      'bulkhead_adapter_lost_messages_total{adapter="discord:ops"} 1',
      'bulkhead_adapter_gap_seconds_total{adapter="discord:ops"} 4',
      'bulkhead_queue_pending{adapter="discord:ops"} 5',
      'bulkhead_queue_leased{adapter="discord:ops"} 6',
      'bulkhead_queue_dead{adapter="discord:ops"} 8',
      "bulkhead_coordinator_event_loop_delay_seconds 0.005",
      'bulkhead_host_rss_bytes{pid="4242",kind="shared"} 50000000',
      "bulkhead_journal_bytes 1024",
    ])
      assert.deepEqual(lines(text, line), [line]);
  });

  it("forgets an adapter that is gone, and does not count a scrape twice", async () => {
    const control = new FakeControl();
    const metrics = createMetrics(control);
    control.current = gatewayStatus({
      adapters: [adapterStatus({ key: "webhook" }), adapterStatus({ key: "webchat" })],
    });
    await metrics.text();
    control.current = gatewayStatus({ adapters: [adapterStatus({ key: "webhook" })] });
    const text = await metrics.text();
    assert.equal(text.includes('adapter="webchat"'), false);
    assert.deepEqual(lines(text, "bulkhead_adapter_messages_in_total{"), [
      'bulkhead_adapter_messages_in_total{adapter="webhook"} 7',
    ]);
  });

  it("gathers latencies over all scrapes", async () => {
    const control = new FakeControl();
    const metrics = createMetrics(control);
    control.latencies = { acceptSeconds: [0.0004, 0.02], deliverySeconds: [100] };
    await metrics.text();
    control.latencies = { acceptSeconds: [3], deliverySeconds: [] };
    const text = await metrics.text();
    assert.deepEqual(lines(text, "bulkhead_accept_latency_seconds_count"), ["bulkhead_accept_latency_seconds_count 3"]);
    assert.deepEqual(lines(text, 'bulkhead_accept_latency_seconds_bucket{le="0.025"}'), [
      'bulkhead_accept_latency_seconds_bucket{le="0.025"} 2',
    ]);
    assert.deepEqual(lines(text, "bulkhead_delivery_latency_seconds_sum"), [
      "bulkhead_delivery_latency_seconds_sum 100",
    ]);
  });

  it("leaves the process-wide registry alone", async () => {
    await createMetrics(new FakeControl()).text();
    assert.deepEqual(register.getMetricsAsArray(), []);
  });
});
