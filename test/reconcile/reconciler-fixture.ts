/** A reconciler over a model fleet, with mocked time and a config file that is a variable. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Config, LoadResult } from "../../src/contract/config.ts";
import type { PlannedConfig } from "../../src/contract/control.ts";
import type { DesiredState } from "../../src/contract/spec.ts";
import type { Condition } from "../../src/contract/status.ts";
import { Reconciler, type ReconcilerOptions } from "../../src/reconcile/reconciler.ts";
import { adapterModules, config, fingerprintKey } from "../support/config-fixture.ts";
import { mockTime } from "../support/mocked-time.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { ModelFleet } from "./model-fleet.ts";

/** Starts a reconciler on `initial` and gives what a test needs to drive and watch it; disposed with the test. */
export async function startReconciler(
  t: TestContext,
  initial: Partial<Config>,
  prepare?: (fleet: ModelFleet) => void,
  options: Partial<ReconcilerOptions> = {},
) {
  mockTime(t);
  const fleet = new ModelFleet();
  prepare?.(fleet);
  const logger = new RecordingLogger();
  const accepted: { config: Config; desired: DesiredState; changes: unknown }[] = [];
  const announced: (readonly Condition[])[] = [];
  const loads: { count: number; atOnce: number; now: number; lastPlanned: PlannedConfig | undefined } = {
    count: 0,
    atOnce: 0,
    now: 0,
    lastPlanned: undefined,
  };
  let content: LoadResult = { ok: true, config: config(initial) };
  let gate: Promise<void> = Promise.resolve();
  const load = async (planned?: PlannedConfig): Promise<LoadResult> => {
    loads.count += 1;
    loads.now += 1;
    loads.atOnce = Math.max(loads.atOnce, loads.now);
    loads.lastPlanned = planned;
    const read = content;
    try {
      await gate;
    } finally {
      loads.now -= 1;
    }
    return structuredClone(read);
  };
  const reconciler = await Reconciler.start({
    initial: config(initial),
    load,
    fingerprintKey,
    adapterModules,
    fleet,
    logger,
    onConfig: (accept, desired, changes) => void accepted.push({ config: accept, desired, changes }),
    onConditions: (conditions) => void announced.push(conditions),
    ...options,
  });
  t.after(() => reconciler[Symbol.asyncDispose]());
  return {
    fleet,
    reconciler,
    logger,
    accepted,
    announced,
    loads,
    save: (parts: Partial<Config>): void => {
      content = { ok: true, config: config(parts) };
      gate = Promise.resolve();
    },
    saveRaw: (result: LoadResult): void => {
      content = result;
    },
    failLoading: (reason: Error): void => {
      gate = Promise.reject(reason);
      gate.catch(() => {});
    },
    /** Loads begun from now on answer when the returned function is called. */
    pauseLoading: (): (() => void) => {
      const paused = Promise.withResolvers<void>();
      gate = paused.promise;
      return paused.resolve;
    },
    /** The floor's timer goes off, and its run ends. */
    floor: async (): Promise<void> => {
      const before = loads.count;
      t.mock.timers.tick(30_000);
      assert.ok(loads.count > before, "the floor did not load");
      for (let job = 0; job < 20; job += 1) await Promise.resolve();
      assert.equal(loads.now, 0);
    },
  };
}
