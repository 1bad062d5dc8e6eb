import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildDesiredState, deliveryClassOf } from "../../src/reconcile/desired.ts";
import {
  adapterConfig,
  adapterModules,
  binding,
  config,
  consumerConfig,
  fingerprintKey,
} from "../support/config-fixture.ts";

const options = { fingerprintKey, adapterModules };

describe("buildDesiredState()", () => {
  it("makes a spec of each adapter, consumer and route", () => {
    const desired = buildDesiredState(
      config({
        adapters: [adapterConfig("webhook:ops", { settings: { port: 1 }, secrets: ["s"], authority: ["42"] })],
        bindings: [binding("webhook", { adapter: "ops" })],
        consumers: [consumerConfig("main", { moduleHash: "ff" })],
        skippedBindings: [{ path: "bindings[1]", message: "gone", line: 3 }],
      }),
      options,
    );
    const spec = desired.adapters.get("webhook:ops");
    assert.equal(spec?.moduleUrl, "file:///webhook.ts");
    assert.equal(spec?.owner, "config");
    assert.deepEqual([spec?.settings, spec?.secrets, spec?.deliveryClass], [{ port: 1 }, ["s"], "durable"]);
    assert.deepEqual(desired.router.adapterAuthority, { "webhook:ops": ["42"] });
    assert.equal(desired.router.defaultConsumer, "main");
    assert.equal(desired.router.bindings.length, 1);
    assert.ok(!("moduleHash" in (desired.consumers.get("main") ?? {})));
    assert.equal(desired.skippedBindings.length, 1);
  });

  it("builds the others when one adapter cannot be built", () => {
    const unbuildable = adapterConfig("slack", { settings: { run: () => 0 } });
    const desired = buildDesiredState(config({ adapters: [unbuildable, adapterConfig("webhook")] }), options);
    assert.deepEqual([...desired.adapters.keys()], ["webhook"]);
    assert.equal(
      desired.invalid.get("slack")?.errors[0]?.message,
      'Cannot build adapter "slack": Cannot encode a value: found a function, wanted plain data',
    );
  });

  for (const platform of ["discord", "constructor"])
    it(`holds back only the adapter of a platform that this build does not have: ${platform}`, () => {
      const adapters = [adapterConfig(platform), adapterConfig("webhook")];
      const desired = buildDesiredState(config({ adapters }), {
        fingerprintKey,
        adapterModules: { webhook: "file:///w" },
      });
      assert.deepEqual([[...desired.adapters.keys()], [...desired.invalid.keys()]], [["webhook"], [platform]]);
    });

  it("gives the same fingerprints every time, so that the first reload finds nothing changed", () => {
    const source = config({ adapters: [adapterConfig("discord", { settings: { token: "t" } })] });
    assert.deepEqual(buildDesiredState(source, options), buildDesiredState(structuredClone(source), options));
  });

  it("keeps invalid tables beside the good ones", () => {
    const invalid = [{ key: "slack", platform: "slack", errors: [] }];
    const desired = buildDesiredState(config({ adapters: [adapterConfig("webhook")], invalid }), options);
    assert.deepEqual([[...desired.adapters.keys()], [...desired.invalid.keys()]], [["webhook"], ["slack"]]);
  });
});

describe("deliveryClassOf()", () => {
  const cases = {
    telegram: "durable",
    email: "durable",
    webhook: "durable",
    webchat: "durable",
    slack: "redeliverable",
    discord: "redeliverable",
    twitch: "best_effort",
    acme: "best_effort",
    constructor: "best_effort",
  } as const;
  for (const [platform, expected] of Object.entries(cases))
    it(`${platform}: ${expected}, and best_effort with a journal in memory`, () => {
      assert.equal(deliveryClassOf(platform, "full"), expected);
      assert.equal(deliveryClassOf(platform, "normal"), expected);
      assert.equal(deliveryClassOf(platform, "memory"), "best_effort");
    });

  it("claims nothing for a third party's module under a platform's name", () => {
    const adapters = [adapterConfig("telegram", { moduleUrl: "file:///mine.ts", moduleHash: "aa" })];
    const desired = buildDesiredState(config({ adapters }), options);
    assert.equal(desired.adapters.get("telegram")?.deliveryClass, "best_effort");
  });
});
