import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { type MemoryStore, supervisionRig } from "../support/supervision-rig.ts";

const signal = new AbortController().signal;
const invalid = { key: "webhook", platform: "webhook", errors: [{ path: "x", message: "wrong", line: null }] };

/** What the next coordinator finds after `webhook` was paused under this one. */
async function pausedStore(t: Parameters<typeof supervisionRig>[0]): Promise<MemoryStore> {
  const rig = await supervisionRig(t);
  rig.fleet.apply(adapterSpec(), 1);
  await rig.settle();
  rig.fleet.pause("webhook");
  await rig.settle();
  assert.deepEqual(rig.where("webhook"), ["paused", "operator"]);
  return rig.store;
}

describe("Supervisor, paused", () => {
  it("is paused again under the next coordinator, and opens nothing", async (t) => {
    const rig = await supervisionRig(t, { store: await pausedStore(t) });
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 1);
    rig.fleet.forgetPausesOfRemoved();
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["paused", "operator"]);
    assert.equal(rig.hosts.opened.length, 0);
    assert.equal(rig.fleet.observed().get("webhook")?.isPaused, true);
    assert.equal(await rig.fleet.settled("webhook", 1, signal), "done");
    assert.equal(rig.changes.at(-1)?.state, "paused");
    rig.fleet.resume("webhook");
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.deepEqual(rig.store.scopes["pause"], {});
  });

  it("says since when, across coordinators", async (t) => {
    const store = await pausedStore(t);
    t.mock.timers.tick(60_000);
    const rig = await supervisionRig(t, { store });
    rig.fleet.apply(adapterSpec(), 1);
    assert.equal(rig.status("webhook").since, new Date(1_000_000_000_000).toISOString());
  });

  it("stays so through the shutdown of its coordinator", async (t) => {
    const first = await supervisionRig(t);
    first.fleet.apply(adapterSpec(), 1);
    await first.settle();
    first.fleet.pause("webhook");
    const shutdown = first.fleet.shutdown(10_000);
    await first.advance(1000);
    assert.deepEqual(await shutdown, []);
    const rig = await supervisionRig(t, { store: first.store });
    rig.fleet.apply(adapterSpec(), 1);
    assert.deepEqual(rig.where("webhook"), ["paused", "operator"]);
  });

  for (const order of ["resume", "restart"] as const)
    it(`is not paused under the next coordinator once a ${order} has ended that`, async (t) => {
      const first = await supervisionRig(t, { store: await pausedStore(t) });
      first.fleet.apply(adapterSpec(), 1);
      if (order === "resume") first.fleet.resume("webhook");
      else first.fleet.restart("webhook", { shared: false });
      await first.settle();
      assert.deepEqual(first.where("webhook"), ["running", "none"]);
      const rig = await supervisionRig(t, { store: first.store });
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    });

  it("is forgiven its failures by a resume under the next coordinator", async (t) => {
    const first = await supervisionRig(t);
    first.hosts.behave = () => ({ start: new GatewayError("platform_unavailable", "503") });
    first.fleet.apply(adapterSpec(), 1);
    await first.settle();
    first.fleet.pause("webhook");
    const rig = await supervisionRig(t, { store: first.store });
    rig.fleet.apply(adapterSpec(), 1);
    assert.deepEqual(rig.where("webhook"), ["paused", "operator"], "not backing off");
    rig.fleet.resume("webhook");
    await rig.settle();
    assert.deepEqual([rig.where("webhook"), rig.status("webhook").attempt], [["running", "none"], 0]);
    assert.deepEqual(rig.store.scopes["backoff"], {});
  });

  it("is not paused when its block was removed and comes back, in one life of the coordinator or the next", async (t) => {
    const first = await supervisionRig(t, { store: await pausedStore(t) });
    first.fleet.apply(adapterSpec(), 1);
    first.fleet.stop("webhook", 2);
    await first.settle();
    first.fleet.apply(adapterSpec(), 3);
    await first.settle();
    assert.deepEqual(first.where("webhook"), ["running", "none"]);
    const rig = await supervisionRig(t, { store: first.store });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
  });

  it("is not paused when its block was removed while no gateway ran", async (t) => {
    const second = await supervisionRig(t, { store: await pausedStore(t) });
    second.fleet.apply(adapterSpec({ key: "webchat" }), 1);
    second.fleet.forgetPausesOfRemoved();
    assert.deepEqual(second.store.scopes["pause"], {});
    second.fleet.apply(adapterSpec(), 2);
    await second.settle();
    assert.deepEqual(second.where("webhook"), ["running", "none"]);
  });

  it("comes back paused when code registers it later", async (t) => {
    const first = await supervisionRig(t);
    first.fleet.apply(adapterSpec({ key: "mine", owner: "shared" }), 0);
    await first.settle();
    first.fleet.pause("mine");
    const rig = await supervisionRig(t, { store: first.store });
    rig.fleet.forgetPausesOfRemoved();
    rig.fleet.apply(adapterSpec({ key: "mine", owner: "shared" }), 0);
    assert.deepEqual(rig.where("mine"), ["paused", "operator"]);
  });

  it("comes back paused when the errors of its table are mended, unless it was resumed before", async (t) => {
    for (const isResumed of [false, true]) {
      const rig = await supervisionRig(t, { store: await pausedStore(t) });
      rig.fleet.markInvalid(invalid, 1);
      rig.fleet.forgetPausesOfRemoved();
      assert.deepEqual(rig.where("webhook"), ["invalid", "spec_invalid"]);
      if (isResumed) rig.fleet.resume("webhook");
      rig.fleet.apply(adapterSpec(), 2);
      await rig.settle();
      assert.equal(rig.status("webhook").state, isResumed ? "running" : "paused");
    }
  });

  it("is in force once the errors of its table are corrected, if it was ordered before, and not if it was taken back", async (t) => {
    for (const [orders, state] of [
      [["pause"], "paused"],
      [["pause", "resume"], "running"],
    ] as const) {
      const rig = await supervisionRig(t);
      rig.fleet.markInvalid(invalid, 1);
      for (const order of orders) rig.fleet[order]("webhook");
      assert.equal(rig.status("webhook").state, "invalid");
      rig.fleet.apply(adapterSpec(), 2);
      await rig.settle();
      assert.equal(rig.status("webhook").state, state);
    }
  });
});
