import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError, type ErrorCode } from "../../src/contract/errors.ts";
import type { ExitedMeta } from "../../src/contract/protocol.ts";
import type { AdapterState, Reason } from "../../src/contract/status.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import { supervisionRig } from "../support/supervision-rig.ts";

const signal = new AbortController().signal;

describe("Supervisor, starting", () => {
  it("runs a spec and says so", async (t) => {
    const rig = await supervisionRig(t);
    rig.fleet.apply(adapterSpec(), 1);
    assert.deepEqual(rig.where("webhook"), ["starting", "config_changed"]);
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    const { generation, desiredGeneration, observedGeneration, attempt, restarts, host } = rig.status("webhook");
    assert.deepEqual(
      { generation, desiredGeneration, observedGeneration, attempt, restarts },
      { generation: 1, desiredGeneration: 1, observedGeneration: 1, attempt: 0, restarts: 0 },
    );
    assert.deepEqual(host, { pid: 4000, kind: "shared", rssBytes: 50_000_000 });
    assert.equal(rig.hosts.last("webhook").request.heapLimitMb, 512);
  });

  const rejections: readonly (readonly [string, ErrorCode, string, AdapterState, Reason])[] = [
    ["an unexplained error", "internal", "boom", "backing_off", "start_failed"],
    ["bad credentials", "unauthorized", "401", "needs_attention", "bad_credentials"],
    ["missing permissions", "forbidden", "missing intents", "needs_attention", "forbidden"],
    ["settings its module refuses", "config_invalid", "settings.url: missing", "needs_attention", "spec_invalid"],
    ["a rate limit", "rate_limited", "slow down", "backing_off", "rate_limited"],
    ["a used-up connect budget", "rate_limited", "the connect budget is used up", "backing_off", "budget_exhausted"],
    ["a platform that is down", "platform_unavailable", "503", "backing_off", "platform_unavailable"],
    ["another poller", "conflict", "terminated by other getUpdates", "backing_off", "conflict"],
    ["a taken port", "conflict", "Cannot listen on port 80: EADDRINUSE", "backing_off", "port_in_use"],
    ["its own timeout", "timeout", "no hello in 10 s", "backing_off", "start_timeout"],
  ];
  for (const [title, code, message, state, reason] of rejections) {
    it(`ends the thread and waits after ${title}`, async (t) => {
      const rig = await supervisionRig(t);
      rig.hosts.behave = () => ({ start: new GatewayError(code, message) });
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      assert.deepEqual(rig.where("webhook"), [state, reason]);
      assert.equal(rig.status("webhook").message, message);
      assert.equal(rig.status("webhook").generation, null);
      assert.equal(rig.hosts.live("webhook").length, 0);
      assert.notEqual(rig.status("webhook").nextRetryAt, null);
      assert.equal(rig.status("webhook").userAction !== null, state === "needs_attention" || code === "conflict");
      assert.equal(await rig.fleet.settled("webhook", 1, signal), "failed");
    });
  }

  const exits: readonly (readonly [ExitedMeta["cause"], Reason])[] = [
    ["ended", "stream_ended"],
    ["crashed", "crashed"],
    ["exited", "exited"],
    ["heap_exhausted", "heap_exhausted"],
    ["module_failed", "module_failed"],
    ["terminated", "crashed"],
    ["open_failed", "start_failed"],
  ];
  for (const [cause, reason] of exits) {
    it(`backs off with ${reason} when its thread is gone as "${cause}"`, async (t) => {
      const rig = await supervisionRig(t);
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      rig.hosts.last("webhook").exit({ cause });
      await rig.settle();
      assert.deepEqual(rig.where("webhook"), ["backing_off", reason]);
      assert.equal(rig.status("webhook").attempt, 1);
    });
  }

  it("says what its thread died of during the start, not that the call went unanswered", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: new GatewayError("worker_crashed", "did not answer") });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    assert.equal(rig.status("webhook").state, "starting");
    rig.hosts.last("webhook").exit({ cause: "heap_exhausted" });
    assert.deepEqual(rig.where("webhook"), ["backing_off", "heap_exhausted"]);
  });

  it("asks a start that hangs to stop, then ends its thread", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: "hangs", stop: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(30_000);
    assert.deepEqual(rig.where("webhook"), ["stopping", "start_timeout"]);
    assert.deepEqual(
      rig.hosts.last("webhook").calls.map(({ method }) => method),
      ["start", "stop"],
    );
    await rig.advance(5000);
    assert.deepEqual(rig.where("webhook"), ["backing_off", "start_timeout"]);
    assert.equal(rig.hosts.live("webhook").length, 0);
  });

  it("counts no wait for a dead host's successor as time of its own start", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ open: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(20_000);
    rig.hosts.last("webhook").listener.onHostDelayed(25_000);
    await rig.advance(54_000);
    assert.deepEqual(rig.where("webhook"), ["starting", "config_changed"]);
    await rig.advance(1_000);
    assert.deepEqual(rig.where("webhook"), ["backing_off", "start_timeout"]);
  });

  it("counts a module that never loads as a start that timed out", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ module: "hangs", stop: "hangs" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.advance(35_000);
    assert.deepEqual(rig.where("webhook"), ["backing_off", "start_timeout"]);
  });

  it("backs off when no host can be started", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ open: new GatewayError("adapter_unavailable", "no host") });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["backing_off", "start_failed"]);
  });

  for (const hanging of ["open", "module", "start"] as const) {
    it(`cancels a start whose ${hanging} hangs when its key is removed, and starts no more`, async (t) => {
      const rig = await supervisionRig(t);
      rig.hosts.behave = () => ({ [hanging]: "hangs" });
      rig.fleet.apply(adapterSpec(), 1);
      await rig.settle();
      rig.fleet.stop("webhook", 2);
      await rig.settle();
      assert.equal(rig.hosts.live("webhook").length, 0);
      assert.deepEqual(rig.fleet.statuses(), []);
      await rig.advance(120_000);
      assert.equal(rig.hosts.opened.length, 1);
      assert.equal(await rig.fleet.settled("webhook", 2, signal), "done");
    });
  }

  it("cancels the retries of a key that is removed", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = () => ({ start: new GatewayError("platform_unavailable", "503") });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.stop("webhook", 2);
    await rig.advance(600_000);
    assert.equal(rig.hosts.opened.length, 1);
    assert.deepEqual(rig.store.scopes["backoff"], {});
  });

  it("lets a new spec cancel a start in flight, one thread at a time", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = (request) => ({ start: request.generation === 1 ? "hangs" : "ok" });
    rig.fleet.apply(adapterSpec(), 1);
    await rig.settle();
    rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
    assert.equal(rig.hosts.opened.length, 1, "the successor waits for the thread to be gone");
    await rig.settle();
    assert.deepEqual(rig.where("webhook"), ["running", "none"]);
    assert.equal(rig.status("webhook").generation, 2);
    assert.equal(rig.status("webhook").attempt, 0);
    assert.equal(rig.hosts.live("webhook").length, 1);
  });

  it("lets four load at a time; connecting takes no slot", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ key }) => (key === "a5" ? {} : { module: "hangs" });
    for (const key of ["a1", "a2", "a3", "a4", "a5"]) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.settle();
    assert.equal(rig.hosts.opened.length, 4);
    rig.hosts.last("a1").emitEvent({ event: "loaded" });
    await rig.settle();
    assert.deepEqual(rig.where("a5"), ["running", "none"]);
  });

  it("does not let four that hang while loading keep the others out for ever", async (t) => {
    const rig = await supervisionRig(t);
    rig.hosts.behave = ({ key }) => (key === "a5" ? {} : { module: "hangs" });
    for (const key of ["a1", "a2", "a3", "a4", "a5"]) rig.fleet.apply(adapterSpec({ key }), 1);
    await rig.advance(5000);
    assert.deepEqual(rig.where("a5"), ["running", "none"]);
  });
});
