import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AdapterConfig, Config, ConsumerConfig } from "../../src/contract/config.ts";
import type { AdapterSpec, ConsumerSpec } from "../../src/contract/spec.ts";
import { changedConsumerFields, changedFields } from "../../src/reconcile/changed-fields.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import {
  adapterConfig,
  adapterModules,
  binding,
  config,
  consumerConfig,
  fingerprintKey,
  supervisorDefaults,
} from "../support/config-fixture.ts";

describe("changedFields()", () => {
  it("names settings as the config file does", () => {
    const before = { settings: { imapUseTls: true, oauth2AccessToken: "a", imapPort: 993 } };
    const after = { settings: { imapUseTls: false, oauth2AccessToken: "b", imapPort: 993 } };
    assert.deepEqual(fieldsBetween("email", before, after), ["imap_use_tls", "oauth2_access_token"]);
  });

  it("never contains a value", () => {
    const fields = fieldsBetween(
      "discord",
      { settings: { token: "old-secret" } },
      { settings: { token: "new-secret" } },
    );
    assert.deepEqual(fields, ["token"]);
  });

  it("names a third party's settings as written, to the deepest difference", () => {
    const module = { moduleUrl: "file:///acme.ts", moduleHash: "aa" };
    const before = { ...module, settings: { roomName: "a", deep: { one: 1, two: 2 } } };
    const after = { ...module, settings: { roomName: "b", deep: { one: 1, two: 3 }, more: true } };
    assert.deepEqual(fieldsBetween("acme", before, after), ["settings.deep.two", "settings.more", "settings.roomName"]);
  });

  it("names the module whose file was edited", () => {
    const before = { moduleUrl: "file:///acme.ts", moduleHash: "aa" };
    assert.deepEqual(fieldsBetween("acme", before, { ...before, moduleHash: "bb" }), ["module"]);
  });

  it("names what of the policy and the supervision differs", () => {
    const supervisor = { ...supervisorDefaults, memoryLimitMb: 512 };
    const policy = { ...adapterConfig("discord").policy, allowBotMessages: true };
    assert.deepEqual(fieldsBetween("discord", {}, { policy, supervisor }), [
      "allow_bot_messages",
      "supervisor.memory_limit_mb",
    ]);
  });

  it("names the bindings' keys that a filter comes from", () => {
    const adapters = [adapterConfig("discord")];
    const after = config({ adapters, bindings: [binding("discord", { guildId: "1", channelIds: ["c"] })] });
    const fields = changedFields(adapterOf(config({ adapters }), "discord"), adapterOf(after, "discord"));
    assert.deepEqual(fields, ["bindings.channel_ids", "bindings.guild_id"]);
  });

  it("finds no difference in the order of a list without one", () => {
    const fields = fieldsBetween(
      "twitch",
      { settings: { channels: ["a", "b"] } },
      { settings: { channels: ["b", "a"] } },
    );
    assert.deepEqual(fields, []);
  });
});

describe("changedConsumerFields()", () => {
  const cases: readonly (readonly [Partial<ConsumerConfig>, readonly string[]])[] = [
    [{}, []],
    [{ moduleHash: "01" }, ["module"]],
    [{ target: { kind: "module", moduleUrl: "file:///b.ts" } }, ["module"]],
    [{ timeoutMs: 1, maxAttempts: 1 }, ["max_attempts", "timeout_ms"]],
    [{ target: { kind: "stream" } }, ["module", "target"]],
  ];
  for (const [change, expected] of cases)
    it(`names ${JSON.stringify(expected)} for ${JSON.stringify(change)}`, () => {
      const after = consumerOf(consumerConfig("main", change));
      assert.deepEqual(changedConsumerFields(consumerOf(consumerConfig("main")), after), expected);
    });
});

function fieldsBetween(key: string, before: Partial<AdapterConfig>, after: Partial<AdapterConfig>): readonly string[] {
  const of = (parts: Partial<AdapterConfig>): AdapterSpec =>
    adapterOf(config({ adapters: [adapterConfig(key, parts)] }), key);
  return changedFields(of(before), of(after));
}

function adapterOf(source: Config, key: string): AdapterSpec {
  const spec = buildDesiredState(source, { fingerprintKey, adapterModules }).adapters.get(key);
  assert.ok(spec);
  return spec;
}

function consumerOf(consumer: ConsumerConfig): ConsumerSpec {
  const desired = buildDesiredState(config({ consumers: [consumer] }), { fingerprintKey, adapterModules });
  const spec = desired.consumers.get(consumer.name);
  assert.ok(spec);
  return spec;
}
