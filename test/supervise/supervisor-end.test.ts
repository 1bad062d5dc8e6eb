import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { frameKinds } from "../../src/contract/frame.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { supervisionRig } from "../support/supervision-rig.ts";

const signal = new AbortController().signal;

describe("Supervisor, ending a generation", () => {
  it("asks to stop, then ends the thread, then opens the successor", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) => ({ terminate: generation === 1 ? "survives" : "ends" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
    await rig.advance(4000);
    assert.deepEqual(
      first.calls.map(({ method }) => method),
      ["start", "stop"],
    );
    assert.ok(first.terminateCount > 0);
    assert.equal(rig.hosts.opened.length, 1, "its thread is not gone yet");
    first.exit({ cause: "terminated" });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").attempt, 0, "a change of config is no failure");
    assert.deepEqual(rig.status("webhook").restartsByReason, { config_changed: 1 });
  });

  it("tears down although stop fails, and says so once, with the key", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ stop: new GatewayError("internal", "cannot log out") });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.stop("webhook", 2);
    await rig.settle();
    assert.equal(rig.hosts.live("webhook").length, 0);
    assert.deepEqual(rig.fleet.statuses(), []);
    const failures = rig.logger.records.filter(({ level }) => level === "warn");
    assert.deepEqual(
      failures.map(({ event, fields }) => [event, fields["key"]]),
      [["adapter-stop-failed", "webhook"]],
    );
  });

  it("says once that a stop was cut short by the end of its time", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ stop: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.stop("webhook", 2);
    await rig.advance(6000);
    const warnings = rig.logger.records.filter(({ level }) => level === "warn");
    assert.deepEqual(
      warnings.map(({ event }) => event),
      ["adapter-stop-timeout"],
    );
  });

  it("gives stop its time and no more, while nothing else waits for it", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ key }) => ({ stop: key === "slow" ? "hangs" : "ok" });
    rig.fleet.apply(adapterSpec({ key: "slow" }), 1);
    rig.fleet.apply(adapterSpec({ key: "quick" }), 1);
    await rig.settle();
    rig.fleet.stop("slow", 2);
    rig.fleet.apply(adapterSpec({ key: "quick", connection: "c2" }), 2);
    rig.fleet.apply(adapterSpec({ key: "new" }), 2);
    await rig.settle();
    assert.deepEqual(rig.where("quick"), ["running", "none"]);
    assert.deepEqual(rig.where("new"), ["running", "none"]);
    assert.deepEqual(rig.where("slow"), ["stopping", "config_changed"]);
    await rig.advance(4500);
    assert.equal(rig.hosts.live("slow").length, 1);
    await rig.advance(500);
    assert.equal(rig.hosts.live("slow").length, 0);
  });

  it("has the host of an unkillable thread condemned, and starts again when that host is gone", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) => (generation === 1 ? { stop: "hangs", terminate: "survives" } : {});
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.restart("webhook", { shared: false });
    await rig.advance(10_000);
    const first = rig.hosts.last("webhook");
    assert.deepEqual(rig.where("webhook"), ["unkillable", "operator"]);
    assert.match(first.condemnReason ?? "", /survived terminate/u);
    await rig.advance(60_000);
    assert.equal(rig.hosts.opened.length, 1);
    first.hostGone({ cause: "killed" });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").generation, 2);
  });

  it("has a host condemned that took so long to open the thread that nobody could end it", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ open: "is_stuck", terminate: "survives" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.stop("webhook", 2);
    await rig.advance(5000);
    assert.deepEqual(rig.where("webhook"), ["unkillable", "config_changed"]);
    const only = rig.hosts.last("webhook");
    only.released.resolve();
    await rig.settle();
    assert.equal(only.terminateCount, 1);
    assert.match(only.condemnReason ?? "", /survived/u);
    only.hostGone({ cause: "killed" });
    await rig.settle();
    assert.deepEqual(rig.fleet.statuses(), []);
  });

  it("abandons an unkillable thread of its own process, without a successor until it ends", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) =>
      generation === 1 ? { stop: "hangs", terminate: "survives", hostKind: "inline" } : {};
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.restart("webhook", { shared: false });
    await rig.advance(60_000);
    assert.deepEqual(rig.where("webhook"), ["unkillable", "operator"]);
    assert.equal(rig.hosts.last("webhook").condemnReason, null);
    assert.deepEqual(
      rig.status("webhook").conditions.map(({ code }) => code),
      ["thread_leaked"],
    );
    rig.hosts.last("webhook").exit({ cause: "terminated" });
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.deepEqual(rig.status("webhook").conditions, []);
  });

  it("starts a successor beside an abandoned thread when its module declares overlap", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) =>
      generation === 1
        ? { stop: "hangs", terminate: "survives", hostKind: "inline", started: { overlap: true } }
        : { hostKind: "inline" };
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    rig.fleet.restart("webhook", { shared: false });
    await rig.advance(10_000);
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.deepEqual(
      rig.status("webhook").conditions.map(({ code }) => code),
      ["thread_leaked"],
    );
    first.emitData();
    first.emitEvent({ event: "closed", error: null });
    assert.equal(rig.frames.length, 0, "a voided generation is not heard");
    assert.equal(rig.status("webhook").state, "running");
    first.exit();
    assert.deepEqual(rig.status("webhook").conditions, []);
    assert.equal(rig.status("webhook").state, "running");
  });

  it("reads on until the port is drained, and hears nothing after that", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) => ({ terminate: generation === 1 ? "survives" : "ends" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
    await rig.settle();
    first.emitData();
    first.listener.onExited({ cause: "terminated", exitCode: 1, error: null });
    first.emitData();
    await rig.settle();
    assert.equal(rig.hosts.opened.length, 1, "the successor must not overtake its last messages");
    first.listener.onDrained();
    first.emitData();
    await rig.settle();
    assert.deepEqual(
      rig.frames.map(({ generation }) => generation),
      [1, 1],
    );
    assert.equal(rig.status("webhook").generation, 2);
  });

  it("does not wait for ever for a port that never drains", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.hosts.last("webhook").listener.onExited({ cause: "crashed", exitCode: 1, error: null });
    await rig.advance(1000);
    assert.deepEqual(rig.where("webhook"), ["backing_off", "crashed"]);
  });

  it("drops what is addressed to a generation that is no longer the live one", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
    await rig.settle();
    const second = rig.hosts.last("webhook");
    rig.fleet.send({ key: "webhook", generation: 1 }, frameKinds.accepted, { frame: 1 });
    rig.fleet.send({ key: "webhook", generation: 2 }, frameKinds.accepted, { frame: 2 });
    assert.deepEqual(
      second.sent.map(({ meta }) => meta),
      [{ frame: 2 }],
    );
  });

  it("calls the running generation only", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: "hangs", stop: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const call = rig.fleet.call("webhook", "send", {}, { deadlineMs: 1000, signal });
    await assert.rejects(call, { code: "adapter_unavailable" });
    await assert.rejects(rig.fleet.call("absent", "send", {}, { deadlineMs: 1000, signal }), { code: "not_found" });
  });

  it("ends what still starts, waits and runs at a shutdown, and keeps what is on disk", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ key }) =>
      key === "down"
        ? { start: new GatewayError("platform_unavailable", "503") }
        : { start: key === "hung" ? "hangs" : "ok" };
    for (const key of ["well", "down", "hung"]) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.settle();
    const ended = rig.fleet.shutdown(3000);
    await rig.settle();
    assert.deepEqual(await ended, []);
    assert.equal(rig.hosts.opened.filter(({ isLive }) => isLive).length, 0);
    assert.deepEqual(Object.keys(rig.store.scopes["backoff"] ?? {}), ["down"]);
    assert.throws(() => rig.fleet.apply(adapterSpec(), 2), { code: "adapter_unavailable" });
  });

  it("names what did not end within the shutdown's deadline", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ stop: "hangs", terminate: "survives" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const ended = rig.fleet.shutdown(3000);
    await rig.advance(3000);
    assert.deepEqual(await ended, ["webhook"]);
  });
});

describe("Supervisor, when a host dies", () => {
  it("knows a thread that had ended by itself from one that its host took along", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const { listener } = rig.hosts.last("webhook");
    listener.onExited({ cause: "heap_exhausted", exitCode: 1, error: null });
    listener.onHostGone({ cause: "died", detail: "exit 134", keys: ["webhook"] });
    assert.deepEqual(rig.where("webhook"), ["backing_off", "heap_exhausted"]);
  });

  it("restarts the innocent at once, uncounted", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    for (const [cause, reason] of [
      ["died", "host_died"],
      ["silent", "host_silent"],
      ["killed", "host_died"],
    ] as const) {
      rig.hosts.last("webhook").hostGone({ cause });
      assert.deepEqual(rig.where("webhook"), ["starting", reason]);
      await rig.settle();
      assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    }
    assert.equal(rig.status("webhook").attempt, 0);
    assert.deepEqual(rig.status("webhook").restartsByReason, { host_died: 2, host_silent: 1 });
    assert.equal(rig.hosts.last("webhook").request.placement, "shared");
  });

  it("gives a start that is repeated for the sake of its host its whole time", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(29_000);
    rig.hosts.behave = () => ({ module: "hangs" });
    for (const key of ["a1", "a2", "a3", "a4"]) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.settle();
    rig.hosts.last("webhook").hostGone();
    await rig.advance(29_000);
    assert.deepEqual(rig.where("webhook"), ["starting", "host_died"]);
  });

  it("gives a host of its own to what was starting at two deaths within ten minutes, for good", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) => ({ start: generation < 3 ? "hangs" : "ok" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.hosts.last("webhook").hostGone();
    await rig.settle();
    assert.equal(rig.hosts.last("webhook").request.placement, "shared");
    rig.hosts.last("webhook").hostGone();
    await rig.settle();
    assert.equal(rig.hosts.last("webhook").request.placement, "own");
    const [condition] = rig.status("webhook").conditions;
    assert.equal(condition?.code, "host_quarantine");
    assert.match(condition.message, /2 hosts died within ten minutes while it was starting/u);
    assert.equal(rig.status("webhook").memory.rssBytes, 50_000_000);

    const later = await supervisionRig(t, { store: rig.store });
    later.fleet.apply(adapterSpec(), 1);
    await later.settle();
    assert.equal(later.hosts.last("webhook").request.placement, "own");
    later.fleet.restart("webhook", { shared: true });
    await later.settle();
    assert.equal(later.hosts.last("webhook").request.placement, "shared");
    assert.deepEqual(later.status("webhook").conditions, []);
  });

  it("counts the death of an adapter's own host, so that it backs off", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec({ supervisor: { isolation: "process" } }), 1);
    await rig.settle();
    assert.equal(rig.hosts.last("webhook").request.placement, "own");
    rig.hosts.last("webhook").hostGone();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "host_died"]);
    assert.equal(rig.status("webhook").attempt, 1);
  });

  it("backs off instead of a quarantine where the shared host is demanded", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: "hangs" });
    rig.fleet.apply(adapterSpec({ supervisor: { isolation: "thread" } }), 1);
    for (let death = 0; death < 2; death += 1) {
      await rig.settle();
      rig.hosts.last("webhook").hostGone();
    }
    assert.deepEqual(rig.where("webhook"), ["backing_off", "host_died"]);
    assert.deepEqual(rig.status("webhook").conditions, []);
  });

  it("moves gracefully, uncounted, when its host must end for another adapter", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    const first = rig.hosts.last("webhook");
    first.listener.onEvacuate({ cause: "unkillable", keys: [] });
    await rig.settle();
    assert.deepEqual(
      first.calls.map(({ method }) => method),
      ["start", "stop"],
    );
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").generation, 2);
    assert.equal(rig.status("webhook").attempt, 0);
  });
});
