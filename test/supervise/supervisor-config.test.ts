import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { adapterSpec, openPolicy } from "../support/adapter-spec.ts";
import type { FakeBehaviour } from "../support/fake-hosts.ts";
import { supervisionRig } from "../support/supervision-rig.ts";

const signal = new AbortController().signal;
const errors = [{ path: "messaging.webhook.port", message: "found 70000, at most 65535 are allowed", line: 3 }];
const invalid = { key: "webhook", platform: "webhook", errors };

describe("Supervisor, following the config", () => {
  it("leaves an unchanged adapter alone", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.apply(adapterSpec({ supervisor: { hangAfterMs: 1000 } }), 2);
    assert.equal(await rig.fleet.settled("webhook", 2, signal), "done");
    assert.equal(rig.status("webhook").observedGeneration, 2);
    assert.deepEqual(rig.hosts.last("webhook").calls, [{ method: "start", args: {} }]);
  });

  it("tells of every config it comes to obey, once, also where nothing else changes", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.apply(adapterSpec(), 2);
    rig.fleet.apply(adapterSpec(), 2);
    rig.fleet.markInvalid(invalid, 3);
    rig.fleet.apply(adapterSpec(), 4);
    rig.fleet.pause("webhook");
    await rig.settle();
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 5);
    assert.deepEqual(rig.observed, ["webhook 1 running", "webhook 2 running", "webhook 4 running", "webhook 5 paused"]);
    assert.equal(rig.status("webhook").observedGeneration, 5);
  });

  it("swaps a policy in place, and counts it as observed once the adapter took it", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const policy = { ...openPolicy(), dmAllowedUsers: ["u1"] };
    rig.fleet.apply(adapterSpec({ policy, policyFingerprint: "p2" }), 2);
    assert.equal(rig.status("webhook").observedGeneration, 1);
    assert.equal(await rig.fleet.settled("webhook", 2, signal), "done");
    assert.deepEqual(rig.hosts.last("webhook").calls[1], { method: "updatePolicy", args: { policy } });
    assert.equal(rig.status("webhook").generation, 1);
  });

  const refusals: readonly (readonly [string, FakeBehaviour, number])[] = [
    ["is rejected", { updatePolicy: new GatewayError("invalid_request", "no") }, 0],
    ["is not answered within five seconds", { updatePolicy: "hangs" }, 5000],
    ["cannot be swapped by its module", { started: { canUpdatePolicy: false } }, 0],
  ];
  for (const [title, behaviour, afterMs] of refusals) {
    it(`replaces the adapter when a policy ${title}`, async (t) => {
      const rig = await supervisionRig(t);
      rig.hosts.behave = () => behaviour;
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      rig.fleet.apply(adapterSpec({ policyFingerprint: "p2" }), 2);
      const settled = rig.fleet.settled("webhook", 2, signal);
      await rig.advance(afterMs);
      assert.equal(await settled, "done");
      assert.equal(rig.status("webhook").generation, 2);
      assert.equal(rig.status("webhook").attempt, 0);
    });
  }

  const offering = (name: string) => [{ name, description: name, options: [], isPrivate: false }];

  it("starts an adapter with the commands of that moment, and swaps others in place", async (t) => {
    const rig = await supervisionRig(t);
    rig.offered.commands = offering("old");
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const { request, calls } = rig.hosts.last("webhook");
    assert.deepEqual("policy" in request.init && request.init.policy.commands, offering("old"));
    rig.fleet.commandsChanged();
    rig.offered.commands = offering("new");
    rig.fleet.commandsChanged();
    rig.fleet.commandsChanged();
    await rig.settle();
    const policy = { ...openPolicy(), commands: offering("new") };
    assert.deepEqual(calls.slice(1), [{ method: "updatePolicy", args: { policy } }]);
    assert.equal(rig.status("webhook").generation, 1);
    assert.equal(rig.status("webhook").observedGeneration, 1);
  });

  it("gives the commands of now with a new policy, and after a respawn", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.offered.commands = offering("new");
    const policy = { ...openPolicy(), dmAllowedUsers: ["u1"] };
    rig.fleet.apply(adapterSpec({ policy, policyFingerprint: "p2" }), 2);
    await rig.settle();
    const given = { policy: { ...policy, commands: offering("new") } };
    assert.deepEqual(rig.hosts.last("webhook").calls.slice(1), [{ method: "updatePolicy", args: given }]);
    rig.hosts.last("webhook").exit();
    await rig.advance(2000);
    const { init } = rig.hosts.last("webhook").request;
    assert.deepEqual("policy" in init && init.policy.commands, offering("new"));
    assert.equal(rig.hosts.last("webhook").calls.length, 1);
  });

  it("gives commands that came during the start to the adapter once it runs", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ module: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.offered.commands = offering("new");
    rig.fleet.commandsChanged();
    rig.hosts.last("webhook").emitEvent({ event: "loaded" });
    await rig.settle();
    assert.deepEqual(
      rig.hosts.last("webhook").calls.map(({ method }) => method),
      ["start", "updatePolicy"],
    );
  });

  it("disturbs no adapter for commands alone that cannot take a policy in place", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ started: { canUpdatePolicy: false } });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.offered.commands = offering("new");
    rig.fleet.commandsChanged();
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").generation, 1);
    assert.equal(rig.hosts.last("webhook").calls.length, 1);
  });

  for (const [title, updatePolicy, afterMs] of [
    ["rejects", new GatewayError("invalid_request", "no"), 0],
    ["does not answer", "hangs", 5000],
  ] as const)
    it(`replaces an adapter that ${title} new commands`, async (t) => {
      const rig = await supervisionRig(t);
      rig.hosts.behave = () => ({ updatePolicy });
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      rig.offered.commands = offering("new");
      rig.fleet.commandsChanged();
      await rig.advance(afterMs);
      assert.deepEqual(rig.where("webhook"), ["running", "none"]);
      assert.equal(rig.status("webhook").generation, 2);
    });

  it("gives a policy that came during the start to the adapter once it runs", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ module: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.apply(adapterSpec({ policyFingerprint: "p2" }), 2);
    rig.hosts.last("webhook").emitEvent({ event: "loaded" });
    await rig.settle();
    assert.deepEqual(
      rig.hosts.last("webhook").calls.map(({ method }) => method),
      ["start", "updatePolicy"],
    );
    assert.equal(rig.status("webhook").observedGeneration, 2);
  });

  it("keeps the last good generation running while its table has errors", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.markInvalid(invalid, 2);
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    const [condition] = rig.status("webhook").conditions;
    assert.equal(condition?.code, "spec_invalid");
    assert.match(condition.message, /messaging\.webhook\.port: found 70000/u);
    assert.equal(rig.status("webhook").observedGeneration, 1);
    assert.equal(await rig.fleet.settled("webhook", 2, signal), "failed");
    rig.hosts.last("webhook").hostGone();
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"], "also after its host has died");
    rig.fleet.apply(adapterSpec(), 3);
    assert.deepEqual(rig.status("webhook").conditions, []);
    assert.equal(rig.status("webhook").generation, 2);
  });

  it("shows what never had a valid spec as invalid, and starts it once it has", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.markInvalid(invalid, 1);
    assert.deepEqual(rig.where("webhook"), ["invalid", "spec_invalid"]);
    assert.equal(rig.hosts.opened.length, 0);
    assert.deepEqual(rig.fleet.observed().get("webhook"), { owner: "config", spec: null, isPaused: false });
    assert.throws(() => rig.fleet.restart("webhook", { shared: false }), { code: "conflict" });
    rig.fleet.apply(adapterSpec(), 2);
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
  });

  it("shows an adapter that waits for a retry as invalid while its table has errors, and goes on trying", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) =>
      generation === 1 ? { start: new GatewayError("platform_unavailable", "503") } : {};
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.markInvalid(invalid, 2);
    assert.deepEqual(rig.where("webhook"), ["invalid", "spec_invalid"]);
    await rig.advance(2000);
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
  });

  it("is listed as invalid when its table comes back with errors while the old thread still ends", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ terminate: "survives" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.stop("webhook", 2);
    rig.fleet.markInvalid(invalid, 3);
    rig.hosts.last("webhook").exit({ cause: "terminated" });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["invalid", "spec_invalid"]);
    assert.equal(rig.changes.at(-1)?.state, "invalid");
  });

  it("waits for the old thread when a removed key is wanted again", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) => ({ terminate: generation === 1 ? "survives" : "ends" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.stop("webhook", 2);
    await rig.settle();
    assert.equal(rig.fleet.observed().size, 0, "told to go");
    assert.equal(rig.status("webhook").state, "stopping");
    rig.fleet.apply(adapterSpec(), 3);
    assert.equal(rig.hosts.opened.length, 1);
    rig.hosts.last("webhook").exit({ cause: "terminated" });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(await rig.fleet.settled("webhook", 3, signal), "done");
  });

  it("pauses until it is resumed, whatever the config says meanwhile", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    assert.deepEqual(rig.fleet.pause("webhook"), { key: "webhook", generation: 1 });
    assert.equal(rig.fleet.observed().get("webhook")?.isPaused, true);
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["paused", "operator"]);
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
    assert.equal(await rig.fleet.settled("webhook", 2, signal), "done");
    assert.equal(rig.hosts.opened.length, 1);
    rig.fleet.resume("webhook");
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.hosts.last("webhook").request.generation, 2);
  });

  it("says which key is unknown to operators", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    for (const order of [
      () => rig.fleet.restart("discord", { shared: false }),
      () => rig.fleet.pause("discord"),
      () => rig.fleet.resume("discord"),
      () => rig.fleet.history("discord"),
    ])
      assert.throws(order, { code: "not_found", message: /discord.*webhook/u });
  });

  it("tells the owner of each key, so that a reload never sweeps what code registered", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec({ key: "mine", owner: "shared" }), 0);
    rig.fleet.apply(adapterSpec(), 1);
    const owners = [...rig.fleet.observed()].map(([key, { owner }]) => [key, owner]);
    assert.deepEqual(owners, [
      ["mine", "shared"],
      ["webhook", "config"],
    ]);
  });

  it("gives up waiting for an outcome with its signal", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    const stop = new AbortController();
    const settled = rig.fleet.settled("webhook", 1, stop.signal);
    stop.abort(new Error("enough"));
    await assert.rejects(settled, /enough/u);
  });

  it("keeps a timeline of states and causes", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.hosts.last("webhook").exit({ cause: "crashed" });
    await rig.settle();
    const timeline = rig.fleet.history("webhook").map(({ generation, state, reason }) => [generation, state, reason]);
    assert.deepEqual(timeline, [
      [1, "starting", "config_changed"],
      [1, "running", "none"],
      [1, "backing_off", "crashed"],
    ]);
    assert.equal(rig.changes.length, 3);
  });
});
