/** Whose fault it was that a shared host died: told apart by letting the suspects start one at a time. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { suspectTurnMs } from "../../src/supervise/suspect-start.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import type { FakeGeneration } from "../support/fake-hosts.ts";
import { supervisionRig, type Rig } from "../support/supervision-rig.ts";

const innocents = ["acme:1", "acme:2", "acme:3", "acme:4", "acme:5", "acme:6", "acme:7"];
const killer = "acme:killer";
const keys = [...innocents.slice(0, 3), killer, ...innocents.slice(3)];

/** Adapters of which those that `isSlow` names, at that moment, begin a start that does not end. */
async function start(t: TestContext, isSlow: (key: string) => boolean, names: readonly string[]): Promise<Rig> {
  const rig = await supervisionRig(t);
  rig.hosts.behave = ({ key }) => ({ start: isSlow(key) ? "hangs" : "ok" });
  for (const key of names) rig.fleet.apply(adapterSpec({ key }), 1);
  await rig.settle();
  return rig;
}

function inSharedHost({ hosts }: Rig): readonly FakeGeneration[] {
  return hosts.opened.filter(({ isLive, request }) => isLive && request.placement === "shared");
}

/** All that live in it are told, one after the other, as a pool does. */
async function killSharedHost(rig: Rig): Promise<void> {
  for (const generation of inSharedHost(rig)) generation.hostGone();
  // One after the other: each start waits for the one before.
  for (const _ of keys) await rig.settle();
}

function where(rig: Rig, state: string): readonly string[] {
  return keys.filter((key) => rig.where(key)[0] === state);
}

describe("a shared host that dies while adapters start", () => {
  it("is laid to the killer alone at the second death, though all were starting at the first", async (t) => {
    let areAllSlow = true;
    const rig = await start(t, (key) => areAllSlow || key === killer, keys);
    assert.equal(inSharedHost(rig).length, 8);
    areAllSlow = false;
    await killSharedHost(rig);
    assert.deepEqual(where(rig, "running"), innocents.slice(0, 3), "one after the other, up to the killer");
    assert.deepEqual(
      inSharedHost(rig).map(({ request }) => request.key),
      [...innocents.slice(0, 3), killer],
    );
    await killSharedHost(rig);
    assert.equal(rig.hosts.last(killer).request.placement, "own");
    assert.deepEqual(where(rig, "running"), innocents);
    for (const key of innocents) {
      assert.equal(rig.hosts.last(key).request.placement, "shared");
      assert.deepEqual([rig.status(key).conditions, rig.status(key).attempt], [[], 0]);
    }
  });

  it("is laid to each of two killers, one death after the other", async (t) => {
    let areAllSlow = true;
    const killers = ["acme:2", killer];
    const rig = await start(t, (key) => areAllSlow || killers.includes(key), keys);
    areAllSlow = false;
    for (let death = 0; death < 3; death += 1) await killSharedHost(rig);
    const others = innocents.filter((key) => !killers.includes(key));
    assert.deepEqual(where(rig, "running"), others);
    for (const key of keys)
      assert.equal(rig.hosts.last(key).request.placement, killers.includes(key) ? "own" : "shared", key);
  });

  it("holds back none of those that were running", async (t) => {
    const rig = await start(t, () => false, keys);
    assert.deepEqual(where(rig, "running"), keys);
    for (let death = 0; death < 3; death += 1) {
      await killSharedHost(rig);
      assert.deepEqual(where(rig, "running"), keys, "at once");
    }
    let isKillerSlow = false;
    rig.hosts.behave = ({ key }) => ({ start: isKillerSlow && key === killer ? "hangs" : "ok" });
    isKillerSlow = true;
    rig.fleet.restart(killer, { shared: false });
    await rig.settle();
    await killSharedHost(rig);
    assert.deepEqual(where(rig, "running"), innocents, "at once, beside the one that is suspect");
  });

  it("lets a suspect whose start takes long keep the next one waiting for a while only", async (t) => {
    const rig = await start(t, () => true, keys.slice(0, 3));
    await killSharedHost(rig);
    assert.equal(inSharedHost(rig).length, 1);
    await rig.advance(suspectTurnMs);
    assert.equal(inSharedHost(rig).length, 2);
    await rig.advance(suspectTurnMs);
    assert.equal(inSharedHost(rig).length, 3);
  });

  it("does not count the wait for the host itself as the turn of the first suspect", async (t) => {
    const rig = await start(t, () => true, keys.slice(0, 3));
    rig.hosts.behave = () => ({ open: "hangs" });
    const before = rig.hosts.opened.length;
    await killSharedHost(rig);
    rig.hosts.opened[before]?.listener.onHostDelayed(16_000);
    await rig.advance(16_000 + suspectTurnMs - 1);
    assert.equal(rig.hosts.opened.length, before + 1);
    await rig.advance(1);
    assert.equal(rig.hosts.opened.length, before + 2);
  });

  it("gives up the turn of a suspect that is removed while it waits", async (t) => {
    const rig = await start(t, () => true, keys.slice(0, 3));
    await killSharedHost(rig);
    rig.fleet.stop("acme:2", 2);
    await rig.settle();
    await rig.advance(suspectTurnMs);
    assert.deepEqual(
      inSharedHost(rig).map(({ request }) => request.key),
      ["acme:1", "acme:3"],
    );
  });

  it("is forgotten after ten minutes", async (t) => {
    let areAllSlow = true;
    const rig = await start(t, () => areAllSlow, keys);
    areAllSlow = false;
    await killSharedHost(rig);
    assert.deepEqual(where(rig, "running"), keys);
    await rig.advance(601_000);
    areAllSlow = true;
    await killSharedHost(rig);
    assert.equal(inSharedHost(rig).length, 8, "all at once");
  });
});
