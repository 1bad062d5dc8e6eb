import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config } from "../../src/contract/config.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { Executor, reportStep, type Step } from "../../src/reconcile/executor.ts";
import { plan } from "../../src/reconcile/plan.ts";
import { adapterConfig, adapterModules, config, consumerConfig, fingerprintKey } from "../support/config-fixture.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { ModelFleet } from "./model-fleet.ts";

const twoAdapters = { adapters: [adapterConfig("webhook"), adapterConfig("webchat")] };

describe("Executor", () => {
  it("has consumers before the router, the router before adapters, and takes consumers away last", () => {
    const { fleet, run } = build();
    run({ adapters: [adapterConfig("webhook")], consumers: [consumerConfig("old")] });
    run({ adapters: [adapterConfig("webchat")], consumers: [consumerConfig("new")], gateway: gatewayWith("new") });
    assert.deepEqual(fleet.calls, [
      "start consumer:old",
      "router",
      "start webhook",
      "start consumer:new",
      "router",
      "stop webhook",
      "start webchat",
      "stop consumer:old",
    ]);
  });

  it("tells the kept ones of a new config and disturbs nobody without one", () => {
    const { fleet, run } = build();
    run(twoAdapters);
    fleet.calls.length = 0;
    run(twoAdapters);
    assert.deepEqual(fleet.calls, []);
    run(twoAdapters, { desiredGeneration: 2, isNewConfig: true });
    assert.deepEqual(fleet.calls, ["keep consumer:main", "keep webhook", "keep webchat"]);
    assert.equal(fleet.generations.get("webhook"), 2);
  });

  it("one that cannot be applied stops no other, and is tried again", () => {
    const { fleet, run, logger } = build();
    fleet.broken.add("webhook");
    const steps = run(twoAdapters);
    assert.deepEqual(fleet.takeChanges(), ["start consumer:main", "start webchat"]);
    assert.equal(steps.find(({ action }) => action.key === "webhook")?.outcome, "failed");
    assert.ok(
      logger.records.some(({ event, fields }) => event === "reconcile-apply-failed" && fields["key"] === "webhook"),
    );
    run(twoAdapters);
    assert.deepEqual(fleet.takeChanges(), ["start webhook"]);
  });

  it("tells a kept one again that could not be told of the new config", () => {
    const { fleet, run } = build();
    run(twoAdapters);
    fleet.broken.add("webhook");
    run(twoAdapters, { desiredGeneration: 2, isNewConfig: true });
    fleet.calls.length = 0;
    run(twoAdapters, { desiredGeneration: 2 });
    assert.deepEqual([fleet.calls, fleet.generations.get("webhook")], [["keep webhook"], 2]);
  });

  it("swaps the router only when it changed", () => {
    const { fleet, run } = build();
    run(twoAdapters);
    run(twoAdapters, { isNewConfig: true });
    assert.equal(fleet.routers.length, 1);
  });

  it("lists a key whose table has errors, once", () => {
    const { fleet, run } = build();
    const errors = { invalid: [{ key: "slack", platform: "slack", errors: [] }] };
    run(errors);
    run(errors);
    assert.equal(fleet.calls.filter((call) => call === "invalid slack").length, 1);
    assert.equal(fleet.adapters.get("slack")?.spec, null);
  });
});

describe("reportStep()", () => {
  it("waits for outcomes only when asked to", async () => {
    const { run } = build();
    const steps = run(twoAdapters);
    assert.deepEqual(await outcomes(steps, null), ["pending", "pending", "pending"]);
    assert.deepEqual(await outcomes(steps, new AbortController().signal), ["done", "done", "done"]);
  });

  it("leaves a change pending that has not settled when the wait is over", async () => {
    const { run, fleet } = build();
    fleet.slow.add("webhook");
    assert.deepEqual(await outcomes(run(twoAdapters), AbortSignal.abort(new Error("over"))), [
      "pending",
      "pending",
      "pending",
    ]);
  });

  it("waits for the change of a moment ago, which a save just before set going", async () => {
    const { run, fleet } = build();
    fleet.slow.add("webhook");
    run(twoAdapters);
    const again = run(twoAdapters);
    assert.deepEqual(await outcomes(again, null), ["unchanged", "unchanged", "unchanged"]);
    const waited = outcomes(again, new AbortController().signal);
    fleet.settling.get("webhook")?.resolve("failed");
    assert.equal((await waited)[0], "failed");
  });

  it("says why a change failed that was waited for", async () => {
    const { run, fleet } = build();
    fleet.slow.add("webhook");
    fleet.failures.set("webhook", "its port is taken");
    fleet.failures.set("webchat", "an older one");
    const steps = run(twoAdapters);
    const reported = Promise.all(steps.map((step) => reportStep(step, new AbortController().signal)));
    fleet.settling.get("webhook")?.resolve("failed");
    const reasons = Object.fromEntries((await reported).map(({ key, reason }) => [key, reason]));
    assert.equal(reasons["webhook"], "new in the config; failed: its port is taken");
    assert.equal(reasons["webchat"], "new in the config");
  });

  it("counts a table with errors as failed", async () => {
    const { run } = build();
    const steps = run({ invalid: [{ key: "slack", platform: "slack", errors: [] }], consumers: [] });
    assert.deepEqual(await outcomes(steps, null), ["failed"]);
  });
});

function outcomes(steps: readonly Step[], until: AbortSignal | null): Promise<readonly string[]> {
  return Promise.all(steps.map(async (step) => (await reportStep(step, until)).outcome));
}

function gatewayWith(defaultConsumer: string): Config["gateway"] {
  return { ...config().gateway, defaultConsumer };
}

function build() {
  const fleet = new ModelFleet();
  const logger = new RecordingLogger();
  const executor = new Executor(fleet, logger);
  const run = (
    parts: Partial<Config>,
    options: { readonly desiredGeneration?: number; readonly isNewConfig?: boolean } = {},
  ): readonly Step[] => {
    const desired = buildDesiredState(config(parts), { fingerprintKey, adapterModules });
    const observed = fleet.observed();
    const actions = plan(desired, observed);
    return executor.execute({
      actions,
      observed,
      router: desired.router,
      desiredGeneration: 1,
      isNewConfig: false,
      ...options,
    });
  };
  return { fleet, logger, run };
}
