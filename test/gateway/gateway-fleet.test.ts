import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { createGatewayFleet, type FleetParts } from "../../src/gateway/gateway-fleet.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { supervisionRig } from "../support/supervision-rig.ts";

const signal = new AbortController().signal;

function fleetOf(adapters: FleetParts["adapters"], outcome: FleetParts["consumers"]["outcome"]) {
  return createGatewayFleet({
    adapters,
    consumers: { specs: new Map(), apply: () => {}, remove: () => {}, outcome },
    applyRouter: () => {},
    onSpec: () => {},
    redact: (text) => text.replaceAll("s3cret", "[redacted]"),
    logger: silentLogger,
  });
}

describe("createGatewayFleet()", () => {
  it("waits for consumers as for adapters, and says why one failed until it is done", async (t) => {
    const { fleet: adapters } = await supervisionRig(t);
    const errors: (string | null)[] = ["no module at s3cret", null];
    const asked: string[] = [];
    const fleet = fleetOf(adapters, async (name) => {
      asked.push(name);
      return errors.shift() ?? null;
    });
    assert.equal(await fleet.settled("consumer:main", 1, signal), "failed");
    assert.equal(fleet.failure("consumer:main"), "no module at [redacted]");
    assert.equal(await fleet.settled("consumer:main", 2, signal), "done");
    assert.equal(fleet.failure("consumer:main"), null);
    assert.deepEqual(asked, ["main", "main"]);
  });

  it("gives up with the signal, and counts what cannot be told as failed", async (t) => {
    const { fleet: adapters } = await supervisionRig(t);
    const fleet = fleetOf(adapters, async (_name, { aborted }) => {
      throw new Error(aborted ? "enough" : "broken");
    });
    await assert.rejects(fleet.settled("consumer:main", 1, AbortSignal.abort()), /enough/u);
    assert.equal(await fleet.settled("consumer:main", 1, signal), "failed");
  });

  it("says of an adapter what its status says", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: new GatewayError("conflict", "its port is taken") });
    const fleet = fleetOf(rig.fleet, async () => null);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    assert.equal(fleet.failure("webhook"), rig.status("webhook").message);
    assert.equal(fleet.failure("nobody"), null);
  });
});
