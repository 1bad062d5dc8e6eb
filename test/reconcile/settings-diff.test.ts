import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config } from "../../src/contract/config.ts";
import { diffSettings, withSettingsInForce } from "../../src/reconcile/settings-diff.ts";
import { config } from "../support/config-fixture.ts";

const started = config();
const live: readonly (readonly [string, Config])[] = [
  ["gateway.log_level", { ...started, gateway: { ...started.gateway, logLevel: "debug" } }],
  ["gateway.default_consumer", { ...started, gateway: { ...started.gateway, defaultConsumer: "other" } }],
  ["journal.retain_hours", { ...started, journal: { ...started.journal, retainHours: 1 } }],
  ["journal.max_bytes", { ...started, journal: { ...started.journal, maxBytes: 1 } }],
  ["notify", { ...started, notify: [{ url: "https://a" }] }],
  ["supervisor.backoff_max_ms", { ...started, supervisor: { ...started.supervisor, backoffMaxMs: 1 } }],
];
const restart: readonly (readonly [string, Config])[] = [
  ["gateway.state_dir", { ...started, gateway: { ...started.gateway, stateDir: "/other" } }],
  ["gateway.shutdown_timeout_ms", { ...started, gateway: { ...started.gateway, shutdownTimeoutMs: 1 } }],
  ["gateway.restart_on_leaked_thread", { ...started, gateway: { ...started.gateway, restartOnLeakedThread: "idle" } }],
  ["gateway.keep_raw", { ...started, gateway: { ...started.gateway, keepRaw: true } }],
  ["hosts.mode", { ...started, hosts: { ...started.hosts, mode: "inline" } }],
  ["hosts.max_adapters", { ...started, hosts: { ...started.hosts, maxAdapters: 1 } }],
  ["hosts.memory_limit_mb", { ...started, hosts: { ...started.hosts, memoryLimitMb: 1 } }],
  ["hosts.permissions", { ...started, hosts: { ...started.hosts, permissions: false } }],
  ["journal.durability", { ...started, journal: { ...started.journal, durability: "memory" } }],
  ["journal.group_commit_ms", { ...started, journal: { ...started.journal, groupCommitMs: 1 } }],
  ["admin.listen", { ...started, admin: { listen: { kind: "unix", path: "/s" } } }],
];

describe("diffSettings()", () => {
  it("finds nothing between equal configs", () => {
    assert.deepEqual(diffSettings(started, structuredClone(started)), { live: [], restart: [] });
  });
  for (const [key, after] of live)
    it(`applies ${key} live`, () => {
      assert.deepEqual(diffSettings(started, after), { live: [key], restart: [] });
    });
  for (const [key, after] of restart)
    it(`needs a restart for ${key}`, () => {
      assert.deepEqual(diffSettings(started, after), { live: [], restart: [key] });
    });
});

describe("withSettingsInForce()", () => {
  for (const [key, after] of restart)
    it(`holds ${key} as the gateway was started with`, () => {
      assert.deepEqual(withSettingsInForce(after, started), started);
    });
  for (const [key, after] of live)
    it(`takes over ${key}`, () => {
      assert.deepEqual(withSettingsInForce(after, started), after);
    });
});
