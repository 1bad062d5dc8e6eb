import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GatewayError } from "../../src/contract/errors.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import type { FakeBehaviour } from "../support/fake-hosts.ts";
import { supervisionRig, type Rig } from "../support/supervision-rig.ts";

const behaviours: readonly FakeBehaviour[] = [
  {},
  { start: new GatewayError("platform_unavailable", "503") },
  { start: new GatewayError("unauthorized", "401") },
  { start: "hangs" },
  { module: "hangs", stop: "hangs" },
  { open: "hangs" },
  { open: new GatewayError("adapter_unavailable", "no host") },
  { stop: "hangs" },
  { stop: new GatewayError("internal", "cannot log out") },
  { updatePolicy: "hangs" },
];

const happenings = {
  crash: (rig: Rig, key: string) => live(rig, key)?.exit(),
  hostDies: (rig: Rig, key: string) => live(rig, key)?.hostGone(),
  evacuate: (rig: Rig, key: string) => live(rig, key)?.listener.onEvacuate({ cause: "unkillable", keys: [] }),
  streamEnds: (rig: Rig, key: string) => live(rig, key)?.emitEvent({ event: "closed", error: null }),
  reconnects: (rig: Rig, key: string) => live(rig, key)?.emitEvent({ event: "reconnecting", reason: "lost" }),
  hangs: (rig: Rig, key: string) => {
    const generation = live(rig, key);
    for (let ageMs = 0; ageMs <= 11_000; ageMs += 250) generation?.sample({ utilization: 1, heartbeatAgeMs: ageMs });
  },
  newConnection: (rig: Rig, key: string, draw: number) =>
    rig.fleet.apply(adapterSpec({ key, connection: `c${draw}` }), 2),
  newPolicy: (rig: Rig, key: string, draw: number) =>
    rig.fleet.apply(adapterSpec({ key, policyFingerprint: `p${draw}` }), 2),
  stop: (rig: Rig, key: string) => rig.fleet.stop(key, 3),
  pause: (rig: Rig, key: string) => isKnown(rig, key) && rig.fleet.pause(key),
  resume: (rig: Rig, key: string) => isKnown(rig, key) && rig.fleet.resume(key),
  restart: (rig: Rig, key: string) =>
    rig.fleet.observed().get(key)?.spec != null && rig.fleet.restart(key, { shared: false }),
};

function live(rig: Rig, key: string): ReturnType<Rig["hosts"]["last"]> | undefined {
  return rig.hosts.live(key)[0];
}

function isKnown(rig: Rig, key: string): boolean {
  return rig.fleet.statuses().some((status) => status.key === key);
}

describe("AdapterFleet", () => {
  it("never runs two generations of one key, never touches another key, and comes to rest as the last spec says", async (t) => {
    const names = Object.keys(happenings) as (keyof typeof happenings)[];
    const step = fc.record({
      key: fc.constantFrom("a", "b"),
      name: fc.constantFrom(...names),
      behaviour: fc.nat({ max: behaviours.length - 1 }),
      waitMs: fc.constantFrom(0, 0, 1500, 6000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const rig = await supervisionRig(t);
        let next = 0;
        rig.hosts.behave = ({ key }) => (key === "calm" ? {} : (behaviours[next] ?? {}));
        for (const key of ["a", "b", "calm"]) rig.fleet.apply(adapterSpec({ key }), 1);
        await rig.settle();
        for (const { key, name, behaviour, waitMs } of steps) {
          next = behaviour;
          happenings[name](rig, key, behaviour);
          await rig.advance(waitMs);
          for (const each of ["a", "b", "calm"])
            assert.ok(rig.hosts.live(each).length <= 1, `two of ${each} after ${name}`);
          assert.equal(rig.status("calm").generation, 3);
          assert.equal(rig.status("calm").state, "running");
        }
        next = 0;
        for (const key of ["a", "b"]) {
          rig.fleet.apply(adapterSpec({ key, connection: "last" }), 9);
          if (rig.fleet.observed().get(key)?.isPaused === true) rig.fleet.resume(key);
        }
        await rig.advance(20_000);
        for (const key of ["a", "b"]) {
          assert.equal(rig.status(key).state, "running");
          assert.equal(rig.status(key).observedGeneration, 9);
          assert.equal(rig.hosts.live(key).length, 1);
        }
        const numbers = rig.hosts.opened.map(({ request }) => request.generation);
        assert.equal(new Set(numbers).size, numbers.length, "no number repeats");
      }),
      { numRuns: 60 },
    );
  });
});
