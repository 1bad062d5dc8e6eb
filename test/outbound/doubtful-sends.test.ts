import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { OutboxRig } from "../support/outbox-rig.ts";
import { turns } from "../support/turns.ts";
import { mockTime } from "../support/mocked-time.ts";

const startMs = Date.UTC(2030, 0, 1);
const died = new GatewayError("worker_crashed", "the thread ended");

/** Adapters that can find out what became of a send; time passes as the test says. */
function rigInDoubt(t: TestContext, journal?: OutboxRig["journal"]): OutboxRig {
  mockTime(t, startMs);
  const rig = new OutboxRig(journal);
  rig.adapters.canComplete = true;
  return rig;
}

async function pass(t: TestContext, ms: number): Promise<void> {
  t.mock.timers.tick(ms);
  await turns();
}

function methodsOf(rig: OutboxRig): readonly string[] {
  return rig.adapters.calls.map(({ method }) => method);
}

describe("a send whose answer was lost", () => {
  it("is settled by an adapter that finds out, once it runs again", async (t) => {
    const rig = rigInDoubt(t);
    rig.adapters.answer = () => {
      rig.adapters.stopped.add("chat");
      return Promise.reject(died);
    };
    const { id } = await rig.send("chat", "one");
    await rig.send("chat", "two");
    await turns();
    await pass(t, 60_000);
    assert.deepEqual(methodsOf(rig), ["send"]);
    assert.equal((await rig.outbox.report(id)).state, "attempted");
    rig.adapters.answer = () => ({ platformMessageId: "found" });
    rig.adapters.stopped.clear();
    rig.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(methodsOf(rig), ["send", "completeSend", "send"]);
    const [first, second] = rig.adapters.calls;
    assert.deepEqual(second?.args, { ...first?.args, attemptedAt: new Date(startMs).toISOString() });
    assert.deepEqual((await rig.outbox.report(id)).receipt, { platformMessageId: "found" });
  });

  it("is settled after a restart of the gateway", async (t) => {
    mockTime(t, startMs);
    const before = new OutboxRig();
    before.adapters.answer = undefined;
    const { id } = await before.send("chat", "one");
    await turns();
    await before.outbox[Symbol.asyncDispose]();
    t.mock.timers.tick(5_000);
    const rig = new OutboxRig(before.journal.restarted());
    rig.adapters.canComplete = true;
    rig.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(methodsOf(rig), ["completeSend"]);
    assert.equal(rig.adapters.calls[0]?.args["attemptedAt"], new Date(startMs).toISOString());
    assert.equal((await rig.outbox.report(id)).state, "confirmed");
  });

  it("stays in doubt while the adapter cannot look, and is never sent plainly", async (t) => {
    const rig = rigInDoubt(t);
    const answers = [died, "platform_unavailable", "rate_limited", "adapter_unavailable"] as const;
    let next = 0;
    rig.adapters.answer = () => {
      const answer = answers[next];
      next += 1;
      if (answer === undefined) return { platformMessageId: "found" };
      if (answer instanceof GatewayError) return Promise.reject(answer);
      return Promise.reject(new GatewayError(answer, "not now"));
    };
    const { id } = await rig.send("chat", "one");
    for (let minute = 0; minute < 10; minute += 1) await pass(t, 60_000);
    assert.deepEqual(methodsOf(rig), ["send", ...Array.from({ length: 4 }, () => "completeSend")]);
    assert.equal((await rig.outbox.report(id)).state, "confirmed");
  });

  it("is unknown where the adapter says that it cannot be told", async (t) => {
    const rig = rigInDoubt(t);
    const hidden = new GatewayError("timeout", "the channel is hidden", { retry: { kind: "never" } });
    rig.adapters.answer = ({ method }) => Promise.reject(method === "send" ? died : hidden);
    const { id } = await rig.send("chat", "one");
    await turns();
    await pass(t, 60_000);
    const { state, error } = await rig.outbox.report(id);
    assert.deepEqual([state, error?.message], ["unknown", "the channel is hidden"]);
    assert.deepEqual(methodsOf(rig), ["send", "completeSend"]);
  });

  it("is unknown after three lives that died of finding out", async (t) => {
    const rig = rigInDoubt(t);
    rig.adapters.answer = () => Promise.reject(died);
    const { id } = await rig.send("chat", "one");
    await rig.send("chat", "next", null, "other");
    for (let minute = 0; minute < 10; minute += 1) await pass(t, 60_000);
    assert.equal((await rig.outbox.report(id)).state, "unknown");
    assert.equal(rig.adapters.calls.filter(({ args }) => args["conversation"] === "room").length, 4);
  });

  it("is unknown at once where the adapter had looked already", async (t) => {
    const rig = rigInDoubt(t);
    const looked = new GatewayError("timeout", "nobody knows", { retry: { kind: "never" } });
    rig.adapters.answer = () => Promise.reject(looked);
    const { id } = await rig.send("chat", "one");
    await turns();
    assert.equal((await rig.outbox.report(id)).state, "unknown");
    assert.deepEqual(methodsOf(rig), ["send"]);
  });

  it("has failed where it was not there and cannot be said", async (t) => {
    const rig = rigInDoubt(t);
    const refused = new GatewayError("message_rejected", "too long");
    rig.adapters.answer = ({ method }) => Promise.reject(method === "send" ? died : refused);
    const { id } = await rig.send("chat", "one");
    await turns();
    await pass(t, 60_000);
    assert.equal((await rig.outbox.report(id)).state, "failed");
  });
});
