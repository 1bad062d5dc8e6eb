import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { BackoffRecord } from "../../src/supervise/supervision-store.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import type { FakeGeneration } from "../support/fake-hosts.ts";
import { MemoryStore, supervisionRig } from "../support/supervision-rig.ts";

const down = new GatewayError("platform_unavailable", "503");

describe("Supervisor, trying again", () => {
  it("is no hot loop when the stream ends at once after every start", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    const endAtOnce = setEnding(rig.hosts.opened, (generation) =>
      generation.emitEvent({ event: "closed", error: null }),
    );
    for (let second = 0; second < 60; second += 1) {
      await rig.advance(1000);
      endAtOnce();
    }
    assert.equal(rig.status("webhook").reason, "stream_ended");
    assert.equal(rig.status("webhook").attempt, 5, "five failures within ten minutes, then slow retries");
    assert.equal(rig.hosts.opened.length, 5);
  });

  it("is no hot loop when each run yields one message and then ends", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    const endAfterOne = setEnding(rig.hosts.opened, (generation) => {
      generation.emitData();
      generation.exit({ cause: "ended" });
    });
    for (let second = 0; second < 60; second += 1) {
      await rig.advance(1000);
      endAfterOne();
    }
    assert.equal(rig.frames.length, 5);
    assert.equal(rig.hosts.opened.length, 5);
  });

  it("does not forgive an adapter that runs for a while before it fails slowly", async (t) => {
    const rig = await supervisionRig(t, { random: () => 0.999 });
    rig.fleet.apply(adapterSpec(), 1);
    for (let failure = 1; failure <= 4; failure += 1) {
      await rig.advance(100_000);
      rig.hosts.last("webhook").exit({ cause: "ended" });
      await rig.settle();
      assert.equal(rig.status("webhook").attempt, failure);
    }
  });

  it("forgives after stable_after_ms of running, and the first restart is then at once", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.hosts.last("webhook").exit();
    await rig.advance(2000);
    assert.equal(rig.status("webhook").attempt, 1);
    assert.equal(rig.status("webhook").state, "running");
    await rig.advance(298_000);
    rig.hosts.last("webhook").sample();
    assert.equal(rig.status("webhook").attempt, 1, "a second is missing");
    await rig.advance(2000);
    rig.hosts.last("webhook").sample();
    assert.equal(rig.status("webhook").attempt, 0);
    assert.deepEqual(rig.store.scopes["backoff"], {});
    rig.hosts.last("webhook").exit();
    await rig.advance(1);
    assert.equal(rig.status("webhook").state, "running");
    rig.hosts.last("webhook").exit();
    await rig.advance(900);
    assert.equal(rig.status("webhook").state, "backing_off", "only the first restart was at once");
  });

  it("does not count the time in which the library reconnects as healthy", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.hosts.last("webhook").exit();
    await rig.advance(200_000);
    const generation = rig.hosts.last("webhook");
    generation.emitEvent({ event: "reconnecting", reason: "socket closed" });
    assert.deepEqual(rig.where("webhook"), ["reconnecting", "platform_unavailable"]);
    await rig.advance(200_000);
    generation.emitEvent({ event: "connected" });
    await rig.advance(200_000);
    generation.sample();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").attempt, 1);
  });

  it("goes over to slow retries after five failures in ten minutes, for ever", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: down });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(60_000);
    assert.equal(rig.hosts.opened.length, 5);
    await rig.advance(300_000);
    assert.equal(rig.hosts.opened.length, 6);
    await rig.advance(3_000_000);
    assert.equal(rig.hosts.opened.length, 16);
    assert.equal(rig.status("webhook").state, "backing_off");
  });

  it("never comes back before the server's own retry-after", async (t) => {
    const rig = await supervisionRig(t);
    const retry = { kind: "after", delayMs: 90_000 } as const;
    rig.hosts.behave = () => ({ start: new GatewayError("rate_limited", "429", { retry }) });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(89_500);
    assert.equal(rig.hosts.opened.length, 1);
    await rig.advance(1000);
    assert.equal(rig.hosts.opened.length, 2);
  });

  it("retries what needs a person every fifteen minutes, and at once on a new spec", async (t) => {
    const rig = await supervisionRig(t);
    const userAction = "Renew the token";
    rig.hosts.behave = ({ generation }) =>
      generation < 3 ? { start: new GatewayError("unauthorized", "401", { userAction }) } : {};
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(899_000);
    assert.equal(rig.hosts.opened.length, 1);
    assert.equal(rig.status("webhook").userAction, userAction);
    await rig.advance(2000);
    assert.equal(rig.hosts.opened.length, 2);
    assert.deepEqual(rig.where("webhook"), ["needs_attention", "bad_credentials"]);
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").attempt, 0);
  });

  it("retries what needs a person at once on an operator's restart", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ generation }) => (generation < 2 ? { start: new GatewayError("forbidden", "intents") } : {});
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    assert.deepEqual(rig.fleet.restart("webhook", { shared: false }), { key: "webhook", generation: 2 });
    await rig.settle();
    assert.equal(rig.status("webhook").generation, 2);
    assert.equal(rig.status("webhook").state, "running");
  });

  it("lets at most ten retries begin at once and two a second after that, and no first start waits", async (t) => {
    const rig = await supervisionRig(t, { random: () => 0 });
    const keys = Array.from({ length: 20 }, (_, index) => `a${index}`);
    for (const key of keys) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.advance(1000);
    assert.equal(rig.hosts.opened.length, 20, "boot is exempt");
    for (const key of keys) rig.hosts.last(key).exit();
    await rig.advance(1000);
    assert.equal(rig.hosts.opened.length, 30);
    await rig.advance(1000);
    assert.equal(rig.hosts.opened.length, 32);
    await rig.advance(4000);
    assert.equal(rig.hosts.opened.length, 40);
  });

  it("spends no retry on what was paused or removed while it waited", async (t) => {
    const rig = await supervisionRig(t, { random: () => 0 });
    const keys = Array.from({ length: 20 }, (_, index) => `a${index}`);
    for (const key of keys) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.advance(1000);
    for (const key of keys) rig.hosts.last(key).exit();
    for (const key of keys.slice(0, 5)) rig.fleet.pause(key);
    for (const key of keys.slice(5, 10)) rig.fleet.stop(key, 2);
    await rig.advance(1000);
    assert.equal(rig.hosts.opened.length, 30);
  });

  it("goes on backing off where a killed coordinator was, with the streak", async (t) => {
    const store = new MemoryStore();
    const before = await supervisionRig(t, { store });
    before.hosts.behave = () => ({ start: down });
    before.fleet.apply(adapterSpec(), 1);
    await before.advance(3000);
    assert.equal(before.status("webhook").attempt, 3);

    const after = await supervisionRig(t, { store });
    after.hosts.behave = () => ({ start: down });
    after.fleet.apply(adapterSpec(), 1);
    await after.settle();
    assert.equal(after.hosts.opened.length, 0);
    assert.deepEqual(after.where("webhook"), ["backing_off", "platform_unavailable"]);
    assert.equal(after.status("webhook").nextRetryAt, before.status("webhook").nextRetryAt);
    await after.advance(2000);
    assert.equal(after.hosts.opened.length, 1);
    assert.equal(after.status("webhook").attempt, 4);
  });

  it("waits no longer than it was to when the clock was put back meanwhile", async (t) => {
    const store = new MemoryStore();
    const before = await supervisionRig(t, { store });
    before.hosts.behave = () => ({ start: down });
    before.fleet.apply(adapterSpec(), 1);
    await before.advance(3000);
    const record = JSON.parse(store.scopes["backoff"]?.["webhook"] ?? "") as BackoffRecord;
    assert.ok(record.delayMs > 0);
    const nextRetryAtMs = record.nextRetryAtMs + 3_600_000;
    store.put("backoff", "webhook", JSON.stringify({ ...record, nextRetryAtMs }));

    const after = await supervisionRig(t, { store });
    after.hosts.behave = () => ({ start: down });
    after.fleet.apply(adapterSpec(), 1);
    await after.settle();
    assert.equal(after.hosts.opened.length, 0);
    await after.advance(record.delayMs);
    assert.equal(after.hosts.opened.length, 1);
  });

  it("starts afresh after a killed coordinator when the spec is another one", async (t) => {
    const store = new MemoryStore();
    const before = await supervisionRig(t, { store });
    before.hosts.behave = () => ({ start: new GatewayError("unauthorized", "401") });
    before.fleet.apply(adapterSpec(), 1);
    await before.settle();

    const after = await supervisionRig(t, { store });
    after.fleet.apply(adapterSpec({ connection: "rotated" }), 1);
    await after.settle();
    assert.deepEqual(after.where("webhook"), ["running", "none"]);
    assert.deepEqual(store.scopes["backoff"], {});
  });

  it("never touches another key when one fails again and again", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ key }) => (key === "flaky" ? { start: down } : {});
    for (const key of ["steady", "flaky", "calm"]) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.advance(700_000);
    assert.equal(rig.hosts.opened.filter(({ request }) => request.key !== "flaky").length, 2);
    assert.deepEqual(rig.where("steady"), ["running", "none"]);
    assert.deepEqual(rig.where("calm"), ["running", "none"]);
    assert.ok(rig.status("flaky").restarts >= 5);
    assert.equal(rig.status("flaky").restartsByReason.platform_unavailable, rig.status("flaky").restarts);
  });
});

/** Calls `end` once for every generation that lives by then. */
function setEnding(opened: readonly FakeGeneration[], end: (generation: FakeGeneration) => void): () => void {
  return () => {
    for (const generation of opened.filter(({ isLive }) => isLive)) end(generation);
  };
}
