import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { DeliverMeta } from "../../src/contract/protocol.ts";
import { type FakeGeneration } from "../support/fake-hosts.ts";
import { turns } from "../support/turns.ts";
import { answersOf, ask, handed, Rig, settle } from "../support/module-consumer-rig.ts";

describe("ModuleConsumer", () => {
  it("attaches once its module is loaded, in a host of its own", async (t) => {
    const rig = new Rig(t);
    assert.equal(rig.dispatcher.lines.length, 0);
    const line = await rig.dispatcher.line();
    assert.deepEqual(line.limits, { concurrency: 16, timeoutMs: 30_000, maxAttempts: 5 });
    const { placement, entry, key, heapLimitMb } = rig.last.request;
    assert.deepEqual(
      { placement, entry, key, heapLimitMb },
      { placement: "consumer", entry: "consumer", key: "consumer:main", heapLimitMb: 64 },
    );
    assert.equal(rig.consumer.state, "running");
    assert.equal(rig.consumer.hostPid, 4000);
  });

  it("hands deliveries to its thread and settlements with their replies back", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a", "b"]);
    assert.deepEqual(handed(rig.last).delivered, ["a", "b"]);
    assert.equal(rig.consumer.inFlight, 2);
    line.deliver(["c"], { senderIsAuthority: false, bindingSettings: { model: "small" } });
    const { meta } = rig.last.sent.at(-1) ?? {};
    const { senderIsAuthority, bindingSettings } = (meta as DeliverMeta).deliveries[0] ?? {};
    assert.deepEqual([senderIsAuthority, bindingSettings], [false, { model: "small" }]);
    settle(rig.last, ["b", "a"]);
    assert.deepEqual(line.replies, [
      ["b", "ok"],
      ["a", "ok"],
    ]);
  });

  it("lets a thread settle only what it holds", async (t) => {
    const rig = new Rig(t, 2);
    const line = await rig.dispatcher.line();
    await turns();
    for (let number = 0; number < 20; number += 1) line.deliver([`r${number}`]);
    const [one, other] = rig.hosts.opened;
    assert.ok(one !== undefined && other !== undefined);
    const [foreign] = handed(other).delivered;
    assert.ok(foreign !== undefined);
    settle(one, [foreign]);
    assert.deepEqual(line.settled, []);
    settle(other, [foreign]);
    assert.equal(line.settled.length, 1);
  });

  it("gives one lane to the same thread and spreads lanes over all", async (t) => {
    const rig = new Rig(t, 3);
    const line = await rig.dispatcher.line();
    await turns();
    for (let number = 0; number < 90; number += 1) line.deliver([`r${number}`], { conversation: `c${number % 30}` });
    const owners = new Map<string, FakeGeneration>();
    for (const generation of rig.hosts.opened) {
      const { delivered } = handed(generation);
      assert.ok(delivered.length >= 10, `${delivered.length} of 90`);
      for (const receipt of delivered) {
        const lane = `c${Number(receipt.slice(1)) % 30}`;
        assert.equal(owners.get(lane) ?? generation, generation);
        owners.set(lane, generation);
      }
    }
  });

  it("counts an attempt for what a crashed thread held, and restarts it at once", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"]);
    rig.last.exit({ cause: "crashed" });
    await turns();
    assert.deepEqual(line.released, [{ receipt: "a", countAttempt: true, code: "worker_crashed" }]);
    assert.equal(rig.hosts.opened.length, 2);
    assert.equal(line.isDetached, false);
    line.deliver(["b"]);
    assert.deepEqual(handed(rig.last).delivered, ["b"]);
  });

  it("counts an attempt for what a dead host held", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"]);
    rig.last.hostGone({ cause: "died" });
    await turns();
    assert.deepEqual(line.released, [{ receipt: "a", countAttempt: true, code: "worker_crashed" }]);
  });

  it("settles what its thread still said before it was drained", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a", "b"]);
    rig.last.listener.onExited({ cause: "crashed", exitCode: 1, error: null });
    settle(rig.last, ["a"]);
    rig.last.listener.onDrained();
    await turns();
    assert.deepEqual(
      line.settled.map(({ receipt }) => receipt),
      ["a"],
    );
    assert.deepEqual(
      line.released.map(({ receipt }) => receipt),
      ["b"],
    );
  });

  it("keeps what comes while its thread is on its way back, and hands it over then", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    rig.last.exit();
    line.deliver(["a"]);
    await turns();
    assert.equal(rig.hosts.opened.length, 2);
    assert.deepEqual(handed(rig.last).delivered, ["a"]);
    assert.deepEqual(line.released, []);
  });

  it("doubles the delay of further restarts, its messages waiting in the journal meanwhile", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    rig.last.exit();
    await turns();
    line.deliver(["a"]);
    rig.last.exit();
    await turns();
    assert.ok(line.isDetached);
    assert.equal(rig.consumer.state, "backing_off");
    for (const delayMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const { length } = rig.hosts.opened;
      t.mock.timers.tick(delayMs - 1);
      await turns();
      assert.equal(rig.hosts.opened.length, length);
      t.mock.timers.tick(1);
      await turns();
      assert.equal(rig.hosts.opened.length, length + 1);
      rig.last.exit();
      await turns();
    }
  });

  it("attaches anew when its thread is back", async (t) => {
    const rig = new Rig(t);
    await rig.dispatcher.line();
    rig.last.exit();
    await turns();
    rig.last.exit();
    await turns();
    t.mock.timers.tick(1000);
    const line = await rig.dispatcher.line(2);
    line.deliver(["a"]);
    assert.deepEqual(handed(rig.last).delivered, ["a"]);
    assert.equal(rig.consumer.error, null);
  });

  it("shows why its module could not be loaded, leaves its messages waiting, and tries again", async (t) => {
    let isBroken = true;
    const rig = new Rig(t, 1, () => (isBroken ? { module: "hangs" } : {}));
    await turns();
    const error = new GatewayError("config_invalid", "Cannot load file:///handler.ts: SyntaxError").toReport();
    rig.last.exit({ cause: "module_failed", error });
    await turns();
    assert.match(rig.consumer.error ?? "", /SyntaxError/u);
    assert.ok(rig.logger.records.some(({ event }) => event === "consumer-thread-ended"));
    assert.equal(rig.dispatcher.lines.length, 0);
    rig.last.exit({ cause: "module_failed", error });
    await turns();
    isBroken = false;
    t.mock.timers.tick(1000);
    await rig.dispatcher.line();
    assert.equal(rig.consumer.error, null);
  });

  it("gives up on a module that does not load", async (t) => {
    const rig = new Rig(t, 1, () => ({ module: "hangs" }));
    await turns();
    t.mock.timers.tick(30_000);
    await turns();
    assert.equal(rig.hosts.opened[0]?.terminateCount, 1);
    assert.match(rig.consumer.error ?? "", /not loaded within/u);
  });

  it("counts no wait for a dead host's successor as time of loading", async (t) => {
    const rig = new Rig(t, 1, () => ({ module: "hangs" }));
    await turns();
    rig.last.listener.onHostDelayed(20_000);
    t.mock.timers.tick(49_999);
    await turns();
    assert.equal(rig.hosts.opened[0]?.terminateCount, 0);
    t.mock.timers.tick(1);
    await turns();
    assert.equal(rig.hosts.opened[0]?.terminateCount, 1);
  });

  it("survives hosts that cannot be opened", async (t) => {
    let opens = 0;
    const rig = new Rig(t, 1, () => {
      opens += 1;
      return opens === 1 ? { open: new GatewayError("adapter_unavailable", "no host") } : {};
    });
    await turns();
    await rig.dispatcher.line();
  });
});

describe("ModuleConsumer, over time", () => {
  it("aborts the handler, and ends the thread of one that goes on for two seconds more", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["slow", "innocent"]);
    const thread = rig.last;
    rig.consumer.expire(["slow"]);
    assert.deepEqual(handed(thread).aborted, ["slow"]);
    t.mock.timers.tick(1999);
    await turns();
    assert.equal(thread.terminateCount, 0);
    assert.deepEqual(line.released, []);
    t.mock.timers.tick(1);
    await turns();
    assert.deepEqual(line.released, [
      { receipt: "innocent", countAttempt: false, code: null },
      { receipt: "slow", countAttempt: true, code: "timeout" },
    ]);
  });

  it("leaves the thread alone when the handler obeys", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["slow", "other"]);
    rig.consumer.expire(["slow"]);
    const error = new GatewayError("timeout", "over its time").toReport();
    settle(rig.last, ["slow"], { kind: "nack", delayMs: null, error });
    t.mock.timers.tick(10_000);
    await turns();
    assert.equal(rig.last.terminateCount, 0);
    assert.equal(line.inFlight, 1);
  });

  it("releases nothing while the thread may still run, and has the host of an unkillable one killed", async (t) => {
    const rig = new Rig(t, 1, () => ({ terminate: "survives" }));
    const line = await rig.dispatcher.line();
    line.deliver(["slow"]);
    const thread = rig.last;
    rig.consumer.expire(["slow"]);
    t.mock.timers.tick(2000);
    await turns();
    t.mock.timers.tick(5000);
    await turns();
    assert.notEqual(thread.condemnReason, null);
    assert.deepEqual(line.released, []);
    thread.hostGone({ cause: "killed" });
    await turns();
    assert.deepEqual(line.released, [{ receipt: "slow", countAttempt: true, code: "timeout" }]);
  });

  it("does not blame those who must leave a condemned host", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"]);
    rig.last.listener.onEvacuate({ cause: "unkillable", keys: [] });
    await turns();
    assert.deepEqual(line.released, [{ receipt: "a", countAttempt: false, code: null }]);
  });
});

describe("ModuleConsumer.stop()", () => {
  it("lets handlers in flight finish, then ends the thread", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"]);
    const stopped = rig.consumer.stop(10_000);
    await turns();
    assert.ok(line.isDetached);
    assert.equal(rig.last.isLive, true);
    ask(rig.last, "consumer.extend", { receipt: "a", ms: 1 });
    await turns();
    assert.deepEqual(answersOf(rig.last), [{ id: 7, outcome: { ok: true, value: true } }]);
    settle(rig.last, ["a"]);
    await stopped;
    assert.deepEqual(line.replies, [["a", "ok"]]);
    assert.deepEqual(
      rig.last.calls.map(({ method }) => method),
      ["stop"],
    );
    assert.equal(rig.last.isLive, false);
    assert.equal(rig.hosts.opened.length, 1);
    assert.equal(rig.consumer.state, "stopped");
  });

  it("releases uncounted what did not finish", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"]);
    await rig.consumer[Symbol.asyncDispose]();
    await rig.consumer[Symbol.asyncDispose]();
    assert.deepEqual(line.released, [{ receipt: "a", countAttempt: false, code: null }]);
  });

  it("ends a consumer that is backing off", async (t) => {
    const rig = new Rig(t, 1, () => ({ open: new GatewayError("adapter_unavailable", "no host") }));
    await turns();
    await rig.consumer.stop(1000);
    assert.equal(rig.dispatcher.lines.length, 0);
    assert.equal(rig.consumer.state, "stopped");
  });
});
