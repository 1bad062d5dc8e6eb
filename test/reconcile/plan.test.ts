import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { AdapterConfig, Config } from "../../src/contract/config.ts";
import type { AdapterSpec, ConsumerSpec, DesiredState } from "../../src/contract/spec.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { hasEffect, nothingObserved, plan, type Observed, type PlannedAction } from "../../src/reconcile/plan.ts";
import { adapterConfig, adapterModules, config, consumerConfig, fingerprintKey } from "../support/config-fixture.ts";
import { ModelFleet } from "./model-fleet.ts";

const options = { fingerprintKey, adapterModules };
const policy = adapterConfig("webhook").policy;

describe("plan()", () => {
  it("starts what is new, with its spec", () => {
    const actions = plan(desire({ adapters: [adapterConfig("webhook")] }), nothingObserved);
    assert.deepEqual(summaries(actions), ["start webhook", "start consumer:main"]);
    assert.equal(specOf(actions, "webhook").platform, "webhook");
  });

  it("keeps what is unchanged", () => {
    const desired = desire({ adapters: [adapterConfig("webhook")] });
    assert.deepEqual(summaries(plan(desired, running(desired))), ["keep webhook", "keep consumer:main"]);
  });

  it("stops a worker whose adapter left the config", () => {
    const actions = plan(desire({}), running(desire({ adapters: [adapterConfig("webhook")] })));
    assert.deepEqual(summaries(actions), ["stop webhook", "keep consumer:main"]);
  });

  it("replaces an adapter whose connection changed and says which fields", () => {
    const actions = between({ settings: { port: 1 } }, { settings: { port: 2 } });
    assert.deepEqual(actions.map(({ action, reason, fields }) => ({ action, reason, fields }))[0], {
      action: "replace",
      reason: "connection settings changed",
      fields: ["port"],
    });
  });

  it("swaps a policy in place when nothing else changed", () => {
    const [action] = between({}, { policy: { ...policy, maxBodyBytes: 1 } });
    assert.deepEqual([action?.action, action?.fields], ["repolicy", ["max_body_bytes"]]);
  });

  it("replaces when policy and connection changed at once", () => {
    const [action] = between(
      { settings: { port: 1 } },
      { settings: { port: 2 }, policy: { ...policy, maxBodyBytes: 1 } },
    );
    assert.deepEqual([action?.action, action?.fields], ["replace", ["max_body_bytes", "port"]]);
  });

  it("keeps an adapter whose supervision changed by default alone, and hands it the new one", () => {
    const supervisor = { ...config().supervisor, backoffMaxMs: 90_000 };
    const before = desire({ adapters: [adapterConfig("webhook")] });
    const after = desire({ supervisor, adapters: [adapterConfig("webhook", { supervisor })] });
    const [action] = plan(after, running(before));
    assert.deepEqual([action?.action, action?.fields], ["keep", ["supervisor.backoff_max_ms"]]);
    assert.equal(specOf([action], "webhook").supervisor.backoffMaxMs, 90_000);
  });

  it("lets an adapter with errors run on with its last good settings", () => {
    const observed = running(desire({ adapters: [adapterConfig("webhook")] }));
    const [action] = plan(desire({ invalid: [invalid("webhook")] }), observed);
    assert.deepEqual(
      [action?.action, action?.spec, action?.reason],
      [
        "invalid",
        null,
        "messaging.webhook.port: found a word (line 3) (and 1 more); its last good settings stay in force",
      ],
    );
  });

  it("tells the fleet of errors in a table that never ran", () => {
    const [action] = plan(desire({ invalid: [invalid("webhook")] }), nothingObserved);
    assert.equal(action?.action, "invalid");
    assert.ok(action && hasEffect(action));
  });

  it("starts an adapter once its errors are mended", () => {
    const observed = {
      ...nothingObserved,
      adapters: new Map([["webhook", { owner: "config", spec: null, isPaused: false } as const]]),
    };
    assert.deepEqual(summaries(plan(desire({ adapters: [adapterConfig("webhook")] }), observed))[0], "start webhook");
  });

  it("stops a key that only ever had errors when it leaves the config", () => {
    const observed = {
      ...nothingObserved,
      adapters: new Map([["webhook", { owner: "config", spec: null, isPaused: false } as const]]),
    };
    assert.equal(summaries(plan(desire({}), observed))[0], "stop webhook");
  });

  it("gives a paused adapter its new spec and says that it stays paused", () => {
    const before = desire({ adapters: [adapterConfig("webhook", { settings: { port: 1 } })] });
    const { adapters, consumers } = running(before);
    const paused = new Map([...adapters].map(([key, each]) => [key, { ...each, isPaused: true }]));
    const after = desire({ adapters: [adapterConfig("webhook", { settings: { port: 2 } })] });
    const [action] = plan(after, { adapters: paused, consumers });
    assert.equal(action?.action, "replace");
    assert.match(action?.reason ?? "", /paused/u);
  });

  it("never sweeps what is registered by code", () => {
    const fleet = new ModelFleet();
    fleet.register(specOf(plan(desire({ adapters: [adapterConfig("webchat")] }), nothingObserved), "webchat"));
    assert.deepEqual(summaries(plan(desire({}), fleet.observed())), ["start consumer:main"]);
  });

  it("refuses a table whose key is registered by code and leaves that one alone", () => {
    const fleet = new ModelFleet();
    fleet.register(specOf(plan(desire({ adapters: [adapterConfig("webchat")] }), nothingObserved), "webchat"));
    for (const desired of [
      desire({ adapters: [adapterConfig("webchat")] }),
      desire({ invalid: [invalid("webchat")] }),
    ]) {
      const [action] = plan(desired, fleet.observed());
      assert.deepEqual([action?.action, action && hasEffect(action)], ["invalid", false]);
      assert.match(action?.reason ?? "", /registered by code/u);
    }
  });

  it("starts, replaces, keeps and stops consumers by name", () => {
    const before = desire({ consumers: [consumerConfig("a"), consumerConfig("b"), consumerConfig("c")] });
    const after = desire({
      consumers: [consumerConfig("a"), consumerConfig("b", { moduleHash: "ff" }), consumerConfig("d")],
    });
    const actions = plan(after, running(before));
    assert.deepEqual(summaries(actions), [
      "stop consumer:c",
      "keep consumer:a",
      "replace consumer:b",
      "start consumer:d",
    ]);
    assert.deepEqual(actions.find((action) => action.key === "consumer:b")?.fields, ["module"]);
  });

  it("leaves a consumer alone that code registered", () => {
    const spec = desire({}).consumers.get("main") as ConsumerSpec;
    const observed = { ...nothingObserved, consumers: new Map([["main", { owner: "shared", spec } as const]]) };
    for (const desired of [desire({}), desire({ consumers: [] })])
      for (const action of plan(desired, observed))
        assert.deepEqual([action.action, hasEffect(action)], ["keep", false]);
  });
});

describe("plan() carried out", () => {
  const keys = ["webhook", "webhook:a", "webchat", "discord", "telegram:b"] as const;
  const table = fc.record({ port: fc.nat(2), body: fc.nat(2), isValid: fc.boolean() });
  const tables = fc.dictionary(fc.constantFrom(...keys), table).map(toConfig);
  const sharedKeys = fc.subarray<string>([...keys], { maxLength: 2 });

  it("converges from anywhere: a second plan has nothing to do", () => {
    fc.assert(
      fc.property(tables, tables, sharedKeys, (before, after, shared) => {
        const fleet = fleetAfter(before, shared);
        carryOut(fleet, plan(desire(after), fleet.observed()));
        const again = plan(desire(after), fleet.observed());
        assert.deepEqual(
          again.filter(({ action }) => action !== "keep" && action !== "invalid"),
          [],
        );
        for (const adapter of after.adapters ?? [])
          if (!shared.includes(adapter.key))
            assert.deepEqual(fleet.adapters.get(adapter.key)?.spec, desire(after).adapters.get(adapter.key));
      }),
    );
  });

  it("never touches an unchanged adapter", () => {
    fc.assert(
      fc.property(tables, tables, (before, after) => {
        const fleet = fleetAfter(before, []);
        fleet.takeChanges();
        carryOut(fleet, plan(desire(after), fleet.observed()));
        const same = (after.adapters ?? []).filter((one) =>
          (before.adapters ?? []).some((other) => JSON.stringify(other) === JSON.stringify(one)),
        );
        const changes = fleet.takeChanges();
        for (const { key } of same) assert.ok(!changes.some((call) => call.endsWith(` ${key}`)), `${key} was touched`);
      }),
    );
  });

  it("never touches what is registered by code", () => {
    fc.assert(
      fc.property(tables, tables, sharedKeys, (before, after, shared) => {
        // The model throws when a shared one is touched.
        const fleet = fleetAfter(before, shared);
        const kept = shared.map((key) => fleet.adapters.get(key));
        carryOut(fleet, plan(desire(after), fleet.observed()));
        assert.deepEqual(
          shared.map((key) => fleet.adapters.get(key)),
          kept,
        );
      }),
    );
  });
});

function desire(parts: Partial<Config>): DesiredState {
  return buildDesiredState(config(parts), options);
}

function between(before: Partial<AdapterConfig>, after: Partial<AdapterConfig>): readonly PlannedAction[] {
  const observed = running(desire({ adapters: [adapterConfig("webhook", before)] }));
  return plan(desire({ adapters: [adapterConfig("webhook", after)] }), observed);
}

function running(desired: DesiredState): Observed {
  const fleet = new ModelFleet();
  carryOut(fleet, plan(desired, nothingObserved));
  return fleet.observed();
}

function carryOut(fleet: ModelFleet, actions: readonly PlannedAction[]): void {
  for (const action of actions.filter(hasEffect))
    if (action.kind === "adapter") fleet.applyAdapter(action, 1);
    else fleet.applyConsumer(action, 1);
}

function fleetAfter(before: Partial<Config>, shared: readonly string[]): ModelFleet {
  const fleet = new ModelFleet();
  for (const key of shared)
    fleet.register(specOf(plan(desire({ adapters: [adapterConfig(key)] }), nothingObserved), key));
  carryOut(fleet, plan(desire(before), fleet.observed()));
  return fleet;
}

function toConfig(
  byKey: Readonly<Record<string, { readonly port: number; readonly body: number; readonly isValid: boolean }>>,
): Partial<Config> {
  const entries = Object.entries(byKey);
  return {
    adapters: entries
      .filter(([, { isValid }]) => isValid)
      .map(([key, { port, body }]) =>
        adapterConfig(key, { settings: { port }, policy: { ...policy, maxBodyBytes: body } }),
      ),
    invalid: entries.filter(([, { isValid }]) => !isValid).map(([key]) => invalid(key)),
  };
}

function invalid(key: string): Config["invalid"][number] {
  const platform = key.split(":")[0] ?? key;
  const errors = [
    { path: `messaging.${platform}.port`, message: "found a word", line: 3 },
    { path: `messaging.${platform}.bind`, message: "found a number", line: null },
  ];
  return { key, platform, errors };
}

function specOf(actions: readonly (PlannedAction | undefined)[], key: string): AdapterSpec {
  const action = actions.find((each) => each?.key === key);
  assert.ok(action?.kind === "adapter" && action.spec !== null);
  return action.spec;
}

function summaries(actions: readonly PlannedAction[]): readonly string[] {
  return actions.map(({ action, key }) => `${action} ${key}`);
}
