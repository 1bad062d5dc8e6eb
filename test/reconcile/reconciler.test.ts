import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AdapterConfig, LoadResult } from "../../src/contract/config.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import type { Reconciler } from "../../src/reconcile/reconciler.ts";
import { adapterConfig, adapterModules, config, consumerConfig, fingerprintKey } from "../support/config-fixture.ts";
import type { ModelFleet } from "./model-fleet.ts";
import { startReconciler } from "./reconciler-fixture.ts";

const webhook = adapterConfig("webhook", { settings: { port: 1 } });
const webchat = adapterConfig("webchat", { settings: { port: 2 } });
const now = { waitMs: 0 };

describe("Reconciler", () => {
  it("has told every part of the fleet what to be when it is started", async (t) => {
    const { fleet, reconciler, accepted } = await startReconciler(t, { adapters: [webhook] });
    assert.deepEqual(fleet.takeChanges(), ["start consumer:main", "start webhook"]);
    assert.equal(reconciler.configGeneration, 1);
    assert.deepEqual(
      accepted.map(({ desired }) => [...desired.adapters.keys()]),
      [["webhook"]],
    );
    assert.equal(reconciler.desired?.adapters.size, 1);
  });

  it("touches nothing on the first reload after boot", async (t) => {
    const { fleet, reconciler } = await startReconciler(t, { adapters: [webhook, webchat] });
    fleet.calls.length = 0;
    const report = await reconciler.reload(now);
    assert.deepEqual(fleet.calls, []);
    assert.ok(report.ok && report.configGeneration === 1);
    assert.deepEqual(
      report.actions.map(({ action, outcome }) => `${action} ${outcome}`),
      Array<string>(3).fill("keep unchanged"),
    );
  });

  it("says what a config warns of once: at the start, and at a reload what is new", async (t) => {
    const warning = (message: string) => ({ path: "", message, line: 1 });
    const { logger, reconciler, save } = await startReconciler(t, { warnings: [warning("old")] });
    const said = (): unknown[] =>
      logger.records.filter(({ event }) => event === "config-warning").map(({ fields }) => fields["message"]);
    assert.deepEqual(said(), ["old"]);
    await reconciler.reload(now);
    save({ warnings: [warning("old"), warning("new")] });
    await reconciler.reload(now);
    await reconciler.reload(now);
    assert.deepEqual(said(), ["old", "new"]);
    assert.equal(reconciler.configGeneration, 1, "nothing else has changed");
  });

  it("an edit of one adapter does not reconnect another on the first reload after boot", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook, webchat] });
    fleet.takeChanges();
    save({ adapters: [withPort(webhook, 9), webchat] });
    await reconciler.reload(now);
    assert.deepEqual(fleet.takeChanges(), ["replace webhook"]);
  });

  it("removes an adapter of the boot config on the first reload", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook, webchat] });
    fleet.takeChanges();
    save({ adapters: [webchat] });
    await reconciler.reload(now);
    assert.deepEqual(fleet.takeChanges(), ["stop webhook"]);
  });

  it("removes an adapter that never came up when the config no longer has it", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook] }, (model) =>
      model.slow.add("webhook"),
    );
    fleet.settling.get("webhook")?.resolve("failed");
    fleet.takeChanges();
    save({});
    await reconciler.reload(now);
    assert.deepEqual(fleet.takeChanges(), ["stop webhook"]);
  });

  it("never sweeps what code registered, before boot or while a reconcile is loading", async (t) => {
    const shared = buildDesiredState(config({ adapters: [webchat, adapterConfig("telegram")] }), {
      fingerprintKey,
      adapterModules,
    });
    const [first, second] = [...shared.adapters.values()];
    assert.ok(first && second);
    const { fleet, reconciler, pauseLoading, save } = await startReconciler(t, {}, (model) => model.register(first));
    save({ adapters: [webhook] });
    const go = pauseLoading();
    const reload = reconciler.reload(now);
    fleet.register(second);
    go();
    await reload;
    save({});
    await reconciler.reload(now);
    assert.deepEqual([...fleet.adapters.keys()], ["webchat", "telegram"]);
  });

  it("starts an adapter once when the API and the file watcher ask for the same", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, {});
    fleet.takeChanges();
    save({ adapters: [webhook] });
    const reload = reconciler.reload(now);
    reconciler.trigger("file");
    reconciler.trigger("floor");
    await reload;
    await reconciler.reload(now);
    assert.deepEqual(fleet.takeChanges(), ["start webhook"]);
  });

  it("does what a block without errors says while another has some", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook, webchat] });
    fleet.takeChanges();
    const errors = [{ path: "messaging.webhook.port", message: "found a word", line: 3 }];
    save({ adapters: [adapterConfig("telegram")], invalid: [{ key: "webhook", platform: "webhook", errors }] });
    const report = await reconciler.reload(now);
    assert.deepEqual(fleet.takeChanges(), ["stop webchat", "start telegram"]);
    assert.equal(fleet.adapters.get("webhook")?.spec?.settings["port"], 1);
    assert.deepEqual(codes(reconciler), ["spec_invalid webhook"]);
    assert.ok(report.ok);
    assert.equal(report.actions.find(({ key }) => key === "webhook")?.outcome, "failed");
  });

  it("goes on with the rest when one replacement fails, and says so", async (t) => {
    const { fleet, reconciler, save, logger } = await startReconciler(t, { adapters: [webhook, webchat] });
    fleet.takeChanges();
    fleet.slow.add("webhook");
    save({ adapters: [withPort(webhook, 9), withPort(webchat, 9)] });
    const reload = reconciler.reload({ waitMs: 5_000 });
    await asked(fleet, "webhook");
    fleet.settling.get("webhook")?.resolve("failed");
    const report = await reload;
    assert.ok(report.ok);
    assert.deepEqual(outcomesOf(report.actions), { webhook: "failed", webchat: "done", "consumer:main": "unchanged" });
    assert.ok(
      logger.records.some(({ event, fields }) => event === "reconcile-outcome-failed" && fields["key"] === "webhook"),
    );
    assert.deepEqual(fleet.takeChanges(), ["replace webhook", "replace webchat"]);
  });

  it("one apply that throws stops no other and is made up for at the floor", async (t) => {
    const { fleet, reconciler, save, floor } = await startReconciler(t, {});
    fleet.takeChanges();
    fleet.broken.add("webhook");
    save({ adapters: [webhook, webchat] });
    const report = await reconciler.reload(now);
    assert.ok(report.ok);
    assert.equal(outcomesOf(report.actions)["webhook"], "failed");
    assert.deepEqual(fleet.takeChanges(), ["start webchat"]);
    await floor();
    assert.deepEqual(fleet.takeChanges(), ["start webhook"]);
    assert.equal(reconciler.configGeneration, 2);
  });

  it("makes up for an apply that threw while the file cannot be read any more", async (t) => {
    const { fleet, reconciler, save, failLoading, floor } = await startReconciler(t, {});
    fleet.takeChanges();
    fleet.broken.add("webhook");
    save({ adapters: [webhook] });
    await reconciler.reload(now);
    failLoading(new Error("EACCES"));
    await floor();
    assert.deepEqual(fleet.takeChanges(), ["start webhook"]);
  });

  it("applies a later save while an earlier one's start hangs", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, {});
    fleet.takeChanges();
    fleet.slow.add("webhook");
    save({ adapters: [webhook] });
    await reconciler.reload(now);
    fleet.slow.delete("webhook");
    save({ adapters: [webchat] });
    const report = await reconciler.reload({ waitMs: 5_000 });
    assert.ok(report.ok);
    assert.deepEqual(outcomesOf(report.actions), { webhook: "done", webchat: "done", "consumer:main": "unchanged" });
    assert.deepEqual(fleet.takeChanges(), ["start webhook", "stop webhook", "start webchat"]);
  });

  it("stops waiting at the deadline and leaves the outcome pending", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, {});
    fleet.slow.add("webhook");
    save({ adapters: [webhook] });
    const reload = reconciler.reload({ waitMs: 2_000 });
    await asked(fleet, "webhook");
    t.mock.timers.tick(2_000);
    const report = await reload;
    assert.ok(report.ok);
    assert.equal(outcomesOf(report.actions)["webhook"], "pending");
  });

  it("ends a storm of triggers at the last config, loading once at a time", async (t) => {
    const { fleet, reconciler, save, loads } = await startReconciler(t, {});
    for (let port = 1; port <= 100; port += 1) {
      save({ adapters: [withPort(webhook, port)] });
      reconciler.trigger(port % 2 === 0 ? "file" : "signal");
    }
    await reconciler.reload(now);
    assert.equal(fleet.adapters.get("webhook")?.spec?.settings["port"], 100);
    assert.equal(loads.atOnce, 1);
    assert.ok(loads.count <= 3, `${loads.count} loads`);
  });

  it("reads the file after it was asked to, not what an earlier run is reading", async (t) => {
    const { fleet, reconciler, save, pauseLoading } = await startReconciler(t, {});
    const go = pauseLoading();
    reconciler.trigger("file");
    save({ adapters: [webhook] });
    const reload = reconciler.reload(now);
    go();
    await reload;
    assert.ok(fleet.adapters.has("webhook"));
  });

  it("answers each of several reloads at once", async (t) => {
    const { reconciler, save } = await startReconciler(t, {});
    save({ adapters: [webhook] });
    const reports = await Promise.all([reconciler.reload(now), reconciler.reload(now), reconciler.reload(now)]);
    assert.deepEqual(
      reports.map((report) => report.ok && report.configGeneration),
      [2, 2, 2],
    );
  });

  it("sees a rotated secret at the floor and replaces exactly its adapter", async (t) => {
    const { fleet, save, floor, reconciler } = await startReconciler(t, {
      adapters: [withToken(webhook, "old"), webchat],
    });
    fleet.takeChanges();
    save({ adapters: [withToken(webhook, "new"), webchat] });
    await floor();
    assert.deepEqual(fleet.takeChanges(), ["replace webhook"]);
    assert.equal(reconciler.configGeneration, 2);
  });

  it("a floor without a change raises no generation, tells nobody and logs nothing", async (t) => {
    const { fleet, floor, reconciler, logger, accepted, announced } = await startReconciler(t, { adapters: [webhook] });
    fleet.calls.length = 0;
    logger.records.length = 0;
    for (let run = 0; run < 3; run += 1) await floor();
    assert.deepEqual([fleet.calls, logger.records, announced], [[], [], []]);
    assert.deepEqual([reconciler.configGeneration, accepted.length], [1, 1]);
  });

  it("gives every key the generation of a config that changes only one", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook, webchat] });
    save({ adapters: [webhook, withPort(webchat, 9)] });
    await reconciler.reload(now);
    assert.deepEqual([fleet.generations.get("webhook"), fleet.generations.get("webchat")], [2, 2]);
  });

  it("swaps the router alone for a change that only the router knows", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook] });
    fleet.takeChanges();
    save({ adapters: [{ ...webhook, authority: ["42"] }] });
    await reconciler.reload(now);
    assert.deepEqual(fleet.takeChanges(), []);
    assert.deepEqual(fleet.routers.at(-1)?.adapterAuthority, { webhook: ["42"] });
  });
});

describe("Reconciler and a config it cannot take", () => {
  const refusal: LoadResult = { ok: false, errors: [{ path: "hosts.mode", message: "found a number", line: 4 }] };

  it("keeps everything, shows config_invalid with a stable time, and recovers", async (t) => {
    const { fleet, reconciler, save, saveRaw, floor, logger } = await startReconciler(t, { adapters: [webhook] });
    fleet.takeChanges();
    logger.records.length = 0;
    saveRaw(refusal);
    assert.deepEqual(await reconciler.reload(now), refusal);
    const [condition] = reconciler.conditions;
    assert.equal(condition?.message, "hosts.mode: found a number (line 4)");
    t.mock.timers.tick(5_000);
    await floor();
    assert.deepEqual(reconciler.conditions, [condition]);
    assert.equal(logger.records.length, 1, "told once, not at every floor");
    save({ adapters: [webhook] });
    await reconciler.reload(now);
    assert.deepEqual([codes(reconciler), fleet.takeChanges(), reconciler.configGeneration], [[], [], 1]);
  });

  it("survives a load that throws or never ends", async (t) => {
    const { fleet, reconciler, save, failLoading, pauseLoading } = await startReconciler(t, {});
    failLoading(new Error("disk on fire"));
    const report = await reconciler.reload(now);
    assert.ok(!report.ok && report.errors[0]?.message === "disk on fire");
    pauseLoading();
    const hanging = reconciler.reload(now);
    t.mock.timers.tick(10_000);
    assert.equal((await hanging).ok, false);
    save({ adapters: [webhook] });
    await reconciler.reload(now);
    assert.ok(fleet.adapters.has("webhook"));
  });

  it("keeps everything when the file is gone, until there is one again", async (t) => {
    const { fleet, reconciler, saveRaw, save, floor, pauseLoading } = await startReconciler(t, { adapters: [webhook] });
    fleet.takeChanges();
    reconciler.missing();
    assert.deepEqual(codes(reconciler), ["config_missing"]);
    saveRaw({ ok: false, errors: [{ path: "", message: "no such file", line: null }] });
    await floor();
    assert.deepEqual([codes(reconciler), fleet.takeChanges()], [["config_missing"], []]);
    saveRaw(refusal);
    const go = pauseLoading();
    reconciler.trigger("floor");
    reconciler.trigger("file");
    reconciler.trigger("floor");
    go();
    await reconciler.reload(now);
    assert.deepEqual(codes(reconciler), ["config_invalid"]);
    save({ adapters: [webhook] });
    await reconciler.reload(now);
    assert.deepEqual(codes(reconciler), []);
  });

  it("is not told that the file is back by what was read before it went", async (t) => {
    const { reconciler, pauseLoading } = await startReconciler(t, {});
    const go = pauseLoading();
    const reload = reconciler.reload(now);
    reconciler.missing();
    go();
    await reload;
    assert.deepEqual(codes(reconciler), ["config_missing"]);
  });

  it("outlives a fleet that cannot be observed", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, {});
    const { mock } = t.mock.method(fleet, "observed", () => {
      throw new Error("not now");
    });
    save({ adapters: [webhook] });
    await assert.rejects(reconciler.reload(now), /not now/u);
    mock.restore();
    await reconciler.reload(now);
    assert.ok(fleet.adapters.has("webhook"));
    assert.equal(reconciler.configGeneration, 2);
  });
});

describe("Reconciler and gateway-level settings", () => {
  it("names what needs a restart until it is taken back, and does not act upon it", async (t) => {
    const { reconciler, save, accepted, fleet } = await startReconciler(t, { adapters: [webhook] });
    save({ adapters: [webhook], journal: { ...config().journal, durability: "memory", retainHours: 1 } });
    await reconciler.reload(now);
    assert.deepEqual(codes(reconciler), ["restart_required"]);
    assert.match(reconciler.conditions[0]?.message ?? "", /journal\.durability$/u);
    const last = accepted.at(-1);
    assert.deepEqual(last?.changes, { live: ["journal.retain_hours"], restart: ["journal.durability"] });
    assert.deepEqual([last.config.journal.durability, last.config.journal.retainHours], ["full", 1]);
    // The journal in use is still on disk, so the class must not change yet.
    assert.equal(fleet.adapters.get("webhook")?.spec?.deliveryClass, "durable");
    save({ adapters: [webhook] });
    await reconciler.reload(now);
    assert.deepEqual(codes(reconciler), []);
  });

  it("survives a listener that throws", async (t) => {
    const { fleet, logger } = await startReconciler(t, { adapters: [webhook] }, undefined, {
      onConfig: () => {
        throw new Error("listener");
      },
    });
    assert.ok(fleet.adapters.has("webhook"));
    assert.ok(logger.records.some(({ event }) => event === "config-listener-failed"));
  });
});

describe("Reconciler.plan()", () => {
  it("says what a reload would do and does none of it", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, { adapters: [webhook, webchat] });
    fleet.calls.length = 0;
    const errors = [{ path: "messaging.webchat.port", message: "found a word", line: 3 }];
    save({
      adapters: [withPort(webhook, 9)],
      invalid: [{ key: "webchat", platform: "webchat", errors }],
      consumers: [consumerConfig("main"), consumerConfig("more")],
      hosts: { ...config().hosts, mode: "inline" },
    });
    const report = await reconciler.plan();
    assert.deepEqual(
      report.actions.map(({ key, action, fields }) => [key, action, fields]),
      [
        ["webhook", "replace", ["port"]],
        ["webchat", "invalid", []],
        ["consumer:main", "keep", []],
        ["consumer:more", "start", []],
        ["gateway", "keep", ["hosts.mode"]],
      ],
    );
    assert.deepEqual(Object.keys(report.actions[0] ?? {}), ["key", "action", "reason", "fields"]);
    assert.deepEqual([report.errors, report.configGeneration], [errors, 1]);
    assert.deepEqual([fleet.calls, reconciler.configGeneration, codes(reconciler)], [[], 1, []]);
  });

  it("plans for another text, and lists what is wrong with one", async (t) => {
    const { reconciler, loads } = await startReconciler(t, {});
    await reconciler.plan("[gateway]");
    assert.equal(loads.lastPlanned, "[gateway]");
  });
});

describe("Reconciler[Symbol.asyncDispose]()", () => {
  it("rejects who waits, applies nothing any more, and is harmless twice", async (t) => {
    const { fleet, reconciler, save, pauseLoading } = await startReconciler(t, {});
    fleet.takeChanges();
    save({ adapters: [webhook] });
    const go = pauseLoading();
    const first = assert.rejects(reconciler.reload(now), { code: "conflict" });
    const second = assert.rejects(reconciler.reload(now), { code: "conflict" });
    await reconciler[Symbol.asyncDispose]();
    go();
    await Promise.all([first, second]);
    reconciler.trigger("file");
    await reconciler[Symbol.asyncDispose]();
    await assert.rejects(reconciler.reload(now), { code: "conflict" });
    assert.deepEqual(fleet.takeChanges(), []);
  });

  it("leaves who waits for an outcome with what is known", async (t) => {
    const { fleet, reconciler, save } = await startReconciler(t, {});
    fleet.slow.add("webhook");
    save({ adapters: [webhook] });
    const reload = reconciler.reload({ waitMs: 60_000 });
    await asked(fleet, "webhook");
    await reconciler[Symbol.asyncDispose]();
    const report = await reload;
    assert.ok(report.ok);
    assert.equal(outcomesOf(report.actions)["webhook"], "pending");
  });
});

function withPort(adapter: AdapterConfig, port: number): AdapterConfig {
  return { ...adapter, settings: { ...adapter.settings, port } };
}

function withToken(adapter: AdapterConfig, authToken: string): AdapterConfig {
  return { ...adapter, settings: { ...adapter.settings, authToken }, secrets: [authToken] };
}

function codes(reconciler: Reconciler): readonly string[] {
  return reconciler.conditions.map(({ code, key }) => (key === null ? code : `${code} ${key}`));
}

function outcomesOf(actions: readonly { readonly key: string; readonly outcome: string }[]): Record<string, string> {
  return Object.fromEntries(actions.map(({ key, outcome }) => [key, outcome]));
}

/** Once the fleet was asked for the outcome of `key`; promise jobs alone get there. */
async function asked(fleet: ModelFleet, key: string): Promise<void> {
  for (let job = 0; job < 100; job += 1) {
    if (fleet.settling.has(key)) return;
    await Promise.resolve();
  }
  assert.fail(`nobody asked for the outcome of ${key}`);
}
