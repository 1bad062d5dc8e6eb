import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config } from "../../src/contract/config.ts";
import { configDigest } from "../../src/reconcile/config-digest.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { adapterConfig, adapterModules, binding, config, fingerprintKey } from "../support/config-fixture.ts";

const source = config({
  adapters: [adapterConfig("webhook", { settings: { port: 1 } }), adapterConfig("webchat")],
  bindings: [binding("webhook"), binding("webchat")],
  invalid: [{ key: "slack", platform: "slack", errors: [{ path: "messaging.slack", message: "wrong", line: 3 }] }],
  skippedBindings: [{ path: "bindings[2]", message: "gone", line: 9 }],
  disabledKeys: ["twitch", "email"],
});

describe("configDigest()", () => {
  const same: Readonly<Record<string, Config>> = {
    "the order of tables": { ...source, adapters: source.adapters.toReversed() },
    "the order of tables that are switched off": { ...source, disabledKeys: source.disabledKeys.toReversed() },
    "a comment that moves an error": { ...source, invalid: movedDown(source) },
    "a warning": { ...source, warnings: [{ path: "llm", message: "ignored", line: 1 }] },
  };
  for (const [name, other] of Object.entries(same))
    it(`is the same after a change of ${name}`, () => assert.equal(digestOf(other), digestOf(source)));

  const different: Readonly<Record<string, Config>> = {
    "a setting that needs a restart": { ...source, hosts: { ...source.hosts, mode: "inline" } },
    "an adapter's settings": { ...source, adapters: [adapterConfig("webhook", { settings: { port: 2 } })] },
    "the order of bindings": { ...source, bindings: source.bindings.toReversed() },
    "an error": { ...source, invalid: [] },
    "a consumer": { ...source, consumers: [] },
    "a skipped binding": { ...source, skippedBindings: [] },
    "an adapter that is switched off": { ...source, disabledKeys: [] },
  };
  for (const [name, other] of Object.entries(different))
    it(`differs after a change of ${name}`, () => assert.notEqual(digestOf(other), digestOf(source)));
});

function digestOf(each: Config): string {
  return configDigest(each, buildDesiredState(each, { fingerprintKey, adapterModules }), fingerprintKey);
}

function movedDown({ invalid }: Config): Config["invalid"] {
  return invalid.map((spec) => ({ ...spec, errors: spec.errors.map((error) => ({ ...error, line: 99 })) }));
}
