/** A shared host that dies while nothing speaks against anybody in it: it is split until the culprit is alone. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { groupCalmMs } from "../../src/supervise/host-quarantine.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { supervisionRig, type MemoryStore, type Rig } from "../support/supervision-rig.ts";

const keys = Array.from({ length: 16 }, (_, index) => `acme:${String.fromCodePoint(97 + index)}`);
const culprit = "acme:k";

async function start(t: TestContext, store?: MemoryStore): Promise<Rig> {
  const rig = await supervisionRig(t, store === undefined ? {} : { store });
  for (const key of keys) rig.fleet.apply(adapterSpec({ key }), 1);
  for (const _ of keys) await rig.settle();
  return rig;
}

function groupOf(rig: Rig, key: string): string {
  const { placement, group = "" } = rig.hosts.last(key).request;
  return `${placement}:${group}`;
}

function neighboursOf(rig: Rig, key: string): readonly string[] {
  return keys.filter((other) => groupOf(rig, other) === groupOf(rig, key));
}

/** The host that `key` lives in dies: all in it are told, with one and the same word. */
async function killHostOf(rig: Rig, key: string): Promise<void> {
  const residents = neighboursOf(rig, key);
  const gone = { cause: "died", detail: "signal SIGKILL", keys: residents } as const;
  for (const resident of residents) rig.hosts.last(resident).hostGone(gone);
  for (const _ of keys) await rig.settle();
}

describe("a shared host that dies again and again, and nobody knows why", () => {
  it("is split until the culprit is alone, after four deaths of sixteen adapters; the next one convicts it", async (t) => {
    const rig = await start(t);
    const sizes = [neighboursOf(rig, culprit).length];
    for (let death = 0; death < 4; death += 1) {
      await killHostOf(rig, culprit);
      sizes.push(neighboursOf(rig, culprit).length);
    }
    assert.deepEqual(sizes, [16, 8, 4, 2, 1]);
    for (const key of keys) assert.deepEqual([...rig.where(key), rig.status(key).attempt], ["running", "none", 0], key);
    assert.deepEqual(rig.status(culprit).conditions, []);
    await killHostOf(rig, culprit);
    assert.equal(groupOf(rig, culprit), "own:");
    const [condition] = rig.status(culprit).conditions;
    assert.equal(condition?.code, "host_quarantine");
    assert.match(condition.message, /the only adapter left in it/u);
  });

  it("convicts one that the others were moved away from as well", async (t) => {
    const rig = await start(t);
    const last = "acme:p";
    for (let death = 0; death < 4; death += 1) await killHostOf(rig, last);
    assert.deepEqual([neighboursOf(rig, last), groupOf(rig, last)], [[last], "shared:"]);
    await killHostOf(rig, last);
    assert.equal(groupOf(rig, last), "own:");
    assert.equal(rig.status(last).conditions[0]?.code, "host_quarantine");
  });

  it("is judged by one that was removed and came back before its thread had ended, too", async (t) => {
    const rig = await start(t);
    rig.hosts.behave = () => ({ stop: "hangs" });
    rig.fleet.restart(culprit, { shared: false });
    await rig.settle();
    rig.hosts.behave = () => ({});
    rig.fleet.stop(culprit, 2);
    await rig.settle();
    assert.equal(rig.status(culprit).state, "stopping");
    rig.fleet.apply(adapterSpec({ key: culprit }), 3);
    await rig.advance(10_000);
    assert.deepEqual(rig.where(culprit), ["running", "none"]);
    for (let death = 0; death < 5; death += 1) await killHostOf(rig, culprit);
    assert.deepEqual(
      keys.filter((key) => groupOf(rig, key) === "own:"),
      [culprit],
    );
  });

  it("takes the innocent back into one host, each at its next restart, once the culprit is known", async (t) => {
    const rig = await start(t);
    for (let death = 0; death < 5; death += 1) await killHostOf(rig, culprit);
    const innocents = keys.filter((key) => key !== culprit);
    const generations = innocents.map((key) => rig.hosts.last(key).request.generation);
    for (const key of innocents) rig.fleet.restart(key, { shared: false });
    for (const _ of keys) await rig.settle();
    assert.deepEqual(
      innocents.map((key) => groupOf(rig, key)),
      innocents.map(() => "shared:"),
    );
    assert.ok(innocents.every((key, index) => rig.hosts.last(key).request.generation > (generations[index] ?? 0)));
  });

  it("stays split over a restart of the coordinator, and so does the quarantine", async (t) => {
    const rig = await start(t);
    for (let death = 0; death < 3; death += 1) await killHostOf(rig, culprit);
    const groups = keys.map((key) => groupOf(rig, key));
    const next = await start(t, rig.store);
    assert.deepEqual(
      keys.map((key) => groupOf(next, key)),
      groups,
    );
    await killHostOf(next, culprit);
    await killHostOf(next, culprit);
    const last = await start(t, next.store);
    assert.equal(groupOf(last, culprit), "own:");
  });

  it("is one again after a day without a death", async (t) => {
    const rig = await start(t);
    await killHostOf(rig, culprit);
    assert.equal(neighboursOf(rig, culprit).length, 8);
    t.mock.timers.setTime(Date.now() + groupCalmMs + 1);
    for (const key of keys) rig.fleet.restart(key, { shared: false });
    for (const _ of keys) await rig.settle();
    assert.equal(neighboursOf(rig, culprit).length, 16);
  });

  it("gives an operator who says --shared the common host", async (t) => {
    const rig = await start(t);
    for (let death = 0; death < 5; death += 1) await killHostOf(rig, culprit);
    rig.fleet.restart(culprit, { shared: true });
    for (const _ of keys) await rig.settle();
    assert.equal(groupOf(rig, culprit), "shared:");
    assert.deepEqual(rig.status(culprit).conditions, []);
  });

  it("is split too where its memory is over the limit and no thread's numbers say why", async (t) => {
    const rig = await start(t);
    const emptyHostOf = async (key: string): Promise<void> => {
      const residents = neighboursOf(rig, key);
      const evacuation = { cause: "too_large", keys: residents } as const;
      for (const resident of residents) rig.hosts.last(resident).listener.onEvacuate(evacuation);
      for (const _ of keys) await rig.settle();
    };
    for (let time = 0; time < 4; time += 1) await emptyHostOf(culprit);
    assert.equal(neighboursOf(rig, culprit).length, 1);
    await emptyHostOf(culprit);
    assert.equal(groupOf(rig, culprit), "own:");
  });

  it("leaves one that must live in the common host there", async (t) => {
    const rig = await start(t);
    for (const key of keys) rig.fleet.apply(adapterSpec({ key, supervisor: { isolation: "thread" } }), 2);
    for (const _ of keys) await rig.settle();
    for (let death = 0; death < 5; death += 1) await killHostOf(rig, culprit);
    assert.equal(neighboursOf(rig, culprit).length, 16);
  });
});
