/** Saves, broken saves, rotated secrets, reloads and failures of what is told, in any order: the fleet is what the last good config says, and nothing more happens. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import type { AdapterConfig, Config } from "../../src/contract/config.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { startReconciler } from "../reconcile/reconciler-fixture.ts";
import {
  adapterConfig,
  adapterModules,
  config,
  consumerConfig,
  fingerprintKey,
  supervisorDefaults,
} from "../support/config-fixture.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { areAllWanted } from "../support/wall-tests.ts";

const keys = ["webhook", "webchat", "slack:ops", "slack:sales"] as const;

type Parts = Pick<Config, "adapters" | "invalid" | "consumers">;

const adapterTable = fc
  .record({
    port: fc.nat({ max: 2 }),
    prefix: fc.constantFrom("", "!"),
    secret: fc.nat({ max: 1 }),
    calm: fc.boolean(),
  })
  .map(({ port, prefix, secret, calm }) => (key: string): AdapterConfig => {
    const table = adapterConfig(key, {
      settings: { port, token: `secret ${secret}` },
      secrets: [`secret ${secret}`],
      supervisor: { ...supervisorDefaults, hangAfterMs: calm ? 10_000 : 5_000 },
    });
    return { ...table, policy: { ...table.policy, triggerPrefix: prefix } };
  });
/** Each key: absent, wrong, or some table. */
const parts: fc.Arbitrary<Parts> = fc
  .tuple(
    fc.tuple(...keys.map(() => fc.oneof(fc.constant(null), fc.constant("wrong" as const), adapterTable, adapterTable))),
    fc.option(fc.integer({ min: 1, max: 2 })),
  )
  .map(([tables, threads]) => ({
    adapters: tables.flatMap((table, at) => (typeof table === "function" ? [table(String(keys[at]))] : [])),
    invalid: tables.flatMap((table, at) => (table === "wrong" ? [invalidTable(String(keys[at]))] : [])),
    consumers: [consumerConfig("main"), ...(threads === null ? [] : [consumerConfig("other", { threads })])],
  }));

function invalidTable(key: string): Config["invalid"][number] {
  return { key, platform: "webhook", errors: [{ path: `messaging.${key}.port`, message: "wrong", line: 1 }] };
}

const steps = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("save" as const), parts }) },
  // Most saves change one thing.
  { weight: 6, arbitrary: fc.record({ do: fc.constant("edit" as const), at: fc.nat(), table: adapterTable }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("save nonsense" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unreadable" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("reload" as const), burst: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("floor" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("break" as const), key: fc.constantFrom(...keys) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pause" as const), key: fc.constantFrom(...keys) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("register" as const), key: fc.constantFrom(...keys) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** The file, the last good config in force, and the fleet that must be it. */
class Model {
  readonly #started: Awaited<ReturnType<typeof startReconciler>>;
  #file: Parts | null;
  #inForce: Parts;
  #generation = 1;

  private constructor(started: Awaited<ReturnType<typeof startReconciler>>, initial: Parts) {
    this.#started = started;
    this.#file = initial;
    this.#inForce = initial;
  }

  static async start(t: TestContext, initial: Parts): Promise<Model> {
    const started = await startReconciler(t, initial);
    const model = new Model(started, initial);
    started.fleet.takeChanges();
    model.#assertFleet();
    return model;
  }

  async run(step: Step): Promise<void> {
    const { fleet, save, saveRaw, failLoading } = this.#started;
    switch (step.do) {
      case "save":
        this.#file = step.parts;
        return save(step.parts);
      case "edit": {
        const { adapters } = this.#inForce;
        const edited = adapters[step.at % Math.max(1, adapters.length)];
        if (edited === undefined) return;
        const table = step.table(edited.key);
        this.#file = { ...this.#inForce, adapters: adapters.map((each) => (each === edited ? table : each)) };
        return save(this.#file);
      }
      case "save nonsense":
        this.#file = null;
        save({});
        return saveRaw({ ok: false, errors: [{ path: "", message: "no TOML", line: 1 }] });
      case "unreadable":
        this.#file = null;
        return failLoading(new Error("EACCES"));
      case "break":
        fleet.broken.add(step.key);
        return;
      case "pause": {
        const adapter = fleet.adapters.get(step.key);
        if (adapter?.owner === "config") fleet.adapters.set(step.key, { ...adapter, isPaused: true });
        return;
      }
      case "register":
        if (!fleet.adapters.has(step.key)) fleet.register(adapterSpec({ key: step.key }));
        return;
      case "reload":
      case "floor":
        return this.#reconcile(step);
    }
  }

  /** Whatever failed is tried again without being asked. */
  async end(): Promise<void> {
    for (let round = 0; round < 2; round += 1) await this.#reconcile({ do: "floor" });
    this.#assertFleet();
    this.#started.fleet.calls.length = 0;
    await this.#reconcile({ do: "floor" });
    assert.deepEqual(this.#started.fleet.calls, [], "a floor without a change touches nothing");
    await this.#started.reconciler[Symbol.asyncDispose]();
  }

  async #reconcile(step: Step & { readonly do: "reload" | "floor" }): Promise<void> {
    const { fleet, reconciler, loads, floor } = this.#started;
    const [before, told] = [this.#inForce, new Map(fleet.adapters)];
    const isBroken = fleet.broken.size > 0;
    fleet.takeChanges();
    const planned = await reconciler.plan();
    assert.deepEqual(fleet.takeChanges(), [], "a plan changes nothing");
    if (step.do === "floor") await floor();
    else await this.#reload(step.burst);
    assert.equal(loads.atOnce, 1, "one reconcile at a time");
    if (this.#file !== null) {
      if (!isDeepStrictEqual(config(this.#file), config(before))) this.#generation += 1;
      this.#inForce = this.#file;
    }
    assert.equal(reconciler.configGeneration, this.#generation);
    const changes = fleet.takeChanges();
    if (isBroken) return;
    const wanted = planned.actions.filter(({ action }) => !["keep", "invalid"].includes(action));
    if (this.#file !== null)
      assert.deepEqual(
        changes.toSorted(),
        wanted.map(({ action, key }) => `${action} ${key}`).toSorted(),
        "what was planned is what is done",
      );
    this.#assertFleet();
    for (const { key } of this.#inForce.adapters.filter((table) => before.adapters.some((old) => isSame(old, table))))
      if (told.get(key)?.spec != null && told.get(key)?.owner === "config" && !isOutOfDate(told, key, before))
        assert.ok(!changes.some((change) => change.endsWith(` ${key}`)), `${key} was touched: ${changes.join(", ")}`);
  }

  async #reload(burst: number): Promise<void> {
    const { reconciler } = this.#started;
    const reports = await Promise.all(Array.from({ length: burst }, () => reconciler.reload({ waitMs: 0 })));
    for (const report of reports) assert.equal(report.ok, this.#file !== null);
  }

  #assertFleet(): void {
    const { fleet } = this.#started;
    const desired = desiredOf(this.#inForce);
    const owned = [...fleet.adapters].filter(([, { owner }]) => owner === "config");
    const listed = new Set([...desired.adapters.keys(), ...desired.invalid.keys()]);
    for (const [key, { spec }] of owned) {
      assert.ok(listed.has(key), `${key} is not in the config and still runs`);
      const wanted = desired.adapters.get(key);
      if (wanted !== undefined) assert.deepEqual(spec, wanted);
    }
    for (const key of listed) assert.ok(fleet.adapters.has(key), `${key} is in the config and was not told`);
    assert.deepEqual(
      [...fleet.consumers].map(([name, { spec }]) => `${name} ${spec.fingerprint}`).toSorted(),
      [...desired.consumers].map(([name, spec]) => `${name} ${spec.fingerprint}`).toSorted(),
    );
  }
}

function desiredOf(one: Parts): ReturnType<typeof buildDesiredState> {
  return buildDesiredState(config(one), { adapterModules, fingerprintKey });
}

function isSame(one: AdapterConfig, other: AdapterConfig): boolean {
  return isDeepStrictEqual(one, other);
}

/** An earlier step failed to tell it. */
function isOutOfDate(told: ReadonlyMap<string, { readonly spec: unknown }>, key: string, inForce: Parts): boolean {
  return !isDeepStrictEqual(told.get(key)?.spec, desiredOf(inForce).adapters.get(key));
}

describe("Reconciler", () => {
  it("has the fleet be what the last good config says, by the plan it tells, touching nobody else", async (t) => {
    await fc.assert(
      fc.asyncProperty(parts, fc.array(steps, { size: "large", maxLength: 40 }), async (initial, order) => {
        const model = await Model.start(t, initial);
        for (const step of order) await model.run(step);
        await model.end();
      }),
      { numRuns: areAllWanted ? 3_000 : 60 },
    );
  });
});
