import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { ThreadSample } from "../../src/contract/protocol.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { supervisionRig, type Rig } from "../support/supervision-rig.ts";

const mebibyte = 1_048_576;

function heapOf(mebibytes: number): ThreadSample["memory"] {
  return { heapBytes: mebibytes * mebibyte, externalBytes: 0, arrayBufferBytes: 0 };
}

describe("Supervisor, watching a generation", () => {
  it("ends a hung thread without asking it", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    for (let ageMs = 0; ageMs <= 11_000; ageMs += 250) first.sample({ utilization: 1, heartbeatAgeMs: ageMs });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "hung"]);
    assert.deepEqual(
      first.calls.map(({ method }) => method),
      ["start"],
    );
    assert.match(rig.status("webhook").message ?? "", /spinning in JavaScript/u);
  });

  it("hands on what the live generation has missed, and no dead one's word", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    first.emitEvent({ event: "missed", messages: 3, gapSeconds: 2.5 });
    first.emitEvent({ event: "missed", messages: -3, gapSeconds: 2.5 });
    first.exit();
    first.emitEvent({ event: "missed", messages: 4, gapSeconds: 0 });
    assert.deepEqual(rig.missed, ["webhook 3 2.5"]);
  });

  for (const [who, rivals, says] of [
    ["another adapter", ["telegram:b"], "(telegram:b in this gateway uses the same credential)"],
    ["two", ["telegram:b", "telegram:c"], "(telegram:b, telegram:c in this gateway use the same credential)"],
  ] as const)
    it(`says who else has the credential of a conflict when it is ${who} of this gateway`, async (t) => {
      const rig = await supervisionRig(t);
      rig.rivals.set("telegram", rivals);
      rig.hosts.behave = () => ({ start: new GatewayError("conflict", "Cannot poll: terminated by another poller") });
      rig.fleet.apply(adapterSpec({ key: "telegram" }), 1);
      await rig.settle();
      assert.deepEqual(rig.where("telegram"), ["backing_off", "conflict"]);
      assert.equal(rig.status("telegram").message, `Cannot poll: terminated by another poller ${says}`);
      assert.equal(rig.fleet.history("telegram").at(-1)?.message, rig.status("telegram").message);
    });

  it("blames nobody of this gateway for a conflict with another program, nor for any other failure", async (t) => {
    const rig = await supervisionRig(t);
    rig.rivals.set("slack", ["slack:b"]);
    rig.hosts.behave = ({ key }) => ({
      start: new GatewayError(key === "slack" ? "platform_unavailable" : "conflict", "Cannot poll"),
    });
    for (const key of ["telegram", "slack"]) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.settle();
    assert.deepEqual([rig.status("telegram").message, rig.status("slack").message], ["Cannot poll", "Cannot poll"]);
  });

  it("never ends a healthy thread for one sample, however old its heartbeat seems", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.hosts.last("webhook").sample({ utilization: 1, heartbeatAgeMs: 60_000 });
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
  });

  it("asks an adapter near its memory limit to stop, and ends one at the limit", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    first.sample({ memory: { heapBytes: 100 * mebibyte, externalBytes: 105 * mebibyte, arrayBufferBytes: 0 } });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "memory_limit"]);
    assert.deepEqual(
      first.calls.map(({ method }) => method),
      ["start", "stop"],
    );
    await rig.advance(1000);
    const second = rig.hosts.last("webhook");
    second.sample({ memory: { heapBytes: 256 * mebibyte, externalBytes: 0, arrayBufferBytes: 0 } });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "memory_limit"]);
    assert.deepEqual(
      second.calls.map(({ method }) => method),
      ["start"],
    );
  });

  for (const [why, end] of [
    ["for its memory", (rig: Rig) => rig.hosts.last("webhook").sample({ memory: heapOf(205) })],
    ["for good", (rig: Rig) => rig.fleet.stop("webhook", 2)],
  ] as const)
    it(`ends an adapter that was asked to stop ${why} at once when it reaches its memory limit before it has answered`, async (t) => {
      const rig = await supervisionRig(t);
      rig.hosts.behave = () => ({ stop: "hangs" });
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      const first = rig.hosts.last("webhook");
      end(rig);
      await rig.settle();
      first.sample({ memory: heapOf(250) });
      first.sample({ memory: null });
      await rig.settle();
      assert.equal(rig.status("webhook").state, "stopping");
      assert.equal(first.terminateCount, 0, "below the limit it has the time of its stop");
      first.sample({ memory: heapOf(300) });
      first.sample({ memory: heapOf(310) });
      await rig.settle();
      assert.equal(rig.hosts.live("webhook").length, 0);
      assert.ok(!rig.logger.records.some(({ event }) => event === "adapter-stop-timeout"));
    });

  for (const [kind, hung] of [
    ["cpuProfile", ["backing_off", "hung"]],
    ["heapSnapshot", ["running", "none"]],
  ] as const)
    it(`recycles a leak while a ${kind} is taken, and judges a thread that stands still only where that is not its cause`, async (t) => {
      for (const [sample, expected] of [
        [{ memory: heapOf(205) }, ["backing_off", "memory_limit"]],
        [{ memory: heapOf(300) }, ["backing_off", "memory_limit"]],
        [{ utilization: 1 }, hung],
      ] as const) {
        const rig = await supervisionRig(t);
        rig.hosts.behave = () => ({ [kind]: "hangs" });
        rig.fleet.apply(adapterSpec(), 1);
        await rig.settle();
        const looking = rig.fleet.life("webhook")?.inspect(kind, { path: "/nowhere", seconds: 300 }, 330_000);
        looking?.catch(() => {});
        await rig.settle();
        const first = rig.hosts.last("webhook");
        for (let heartbeatAgeMs = 0; heartbeatAgeMs <= 11_000; heartbeatAgeMs += 250)
          first.sample({ heartbeatAgeMs, ...sample });
        await rig.settle();
        assert.deepEqual(rig.where("webhook"), expected);
        t.mock.timers.reset();
      }
    });

  it("judges a thread again once its heap snapshot is taken", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    await rig.fleet.life("webhook")?.inspect("heapSnapshot", { path: "/nowhere", seconds: 0 }, 120_000);
    const first = rig.hosts.last("webhook");
    for (let ageMs = 0; ageMs <= 11_000; ageMs += 250) first.sample({ utilization: 1, heartbeatAgeMs: ageMs });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "hung"]);
  });

  it("replaces an adapter whose transport is silent for longer than it declared", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ started: { maxSilenceMs: 60_000 } });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(50_000);
    const first = rig.hosts.last("webhook");
    first.emitEvent({ event: "frame" });
    await rig.advance(60_000);
    first.sample();
    assert.equal(rig.status("webhook").state, "running");
    await rig.advance(1000);
    first.sample();
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "silent_transport"]);
  });

  it("takes no harm from the quiet of a transport without frames", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(100_000);
    rig.hosts.last("webhook").sample();
    assert.equal(rig.status("webhook").state, "running");
  });

  it("recycles a generation of max_age_ms, uncounted", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec({ supervisor: { maxAgeMs: 60_000 } }), 1);
    await rig.advance(60_000);
    rig.hosts.last("webhook").sample();
    await rig.settle();
    assert.equal(rig.status("webhook").generation, 2);
    assert.equal(rig.status("webhook").attempt, 0);
    assert.deepEqual(rig.status("webhook").restartsByReason, { max_age: 1 });
  });

  it("says why the connection ended when its adapter knows", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const error = new GatewayError("unauthorized", "The token was revoked").toReport();
    rig.hosts.last("webhook").emitEvent({ event: "closed", error });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["needs_attention", "bad_credentials"]);
    assert.equal(rig.status("webhook").message, "The token was revoked");
  });

  it("restarts what leaves three probes in a row unanswered, and not what refuses one", async (t) => {
    for (const [probe, state] of [
      [new GatewayError("timeout", "no answer"), "backing_off"],
      [new GatewayError("platform_unavailable", "503"), "running"],
    ] as const) {
      const rig = await supervisionRig(t, {});
      rig.hosts.behave = () => ({ probe, started: { canProbe: true } });
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      for (let probes = 0; probes <= 3; probes += 1) {
        rig.hosts.last("webhook").sample();
        if (probes < 3) await rig.advance(30_000);
        else await rig.settle();
      }
      assert.equal(rig.status("webhook").state, state);
    }
  });

  it("shows what was measured, and keeps CPU seconds over generations", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    first.sample({ cpu: { userMicroseconds: 1_000_000, systemMicroseconds: 500_000 } });
    await rig.advance(1000);
    first.sample({
      cpu: { userMicroseconds: 1_200_000, systemMicroseconds: 550_000 },
      utilization: 0.3,
      delayP99Ms: 4,
    });
    first.emitData();
    first.emitEvent({ event: "frame" });
    const { cpu, memory, eventLoop, threadId, clocks } = rig.status("webhook");
    assert.deepEqual(cpu, { userSeconds: 1.2, systemSeconds: 0.55, percent: 25 });
    assert.deepEqual(memory, {
      heapBytes: 6_000_000,
      externalBytes: 2_000_000,
      arrayBufferBytes: 1_000_000,
      limitBytes: 256 * mebibyte,
      rssBytes: null,
    });
    assert.deepEqual(eventLoop, { utilization: 0.3, delayP99Ms: 4 });
    assert.equal(threadId, 7);
    assert.deepEqual(clocks, { frame: new Date().toISOString(), event: new Date().toISOString(), probe: null });
    first.hostGone();
    await rig.settle();
    rig.hosts.last("webhook").sample({ cpu: { userMicroseconds: 100_000, systemMicroseconds: 0 } });
    assert.equal(rig.status("webhook").cpu.userSeconds, 1.3);
  });
});
