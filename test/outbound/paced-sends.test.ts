import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { OutboxRig } from "../support/outbox-rig.ts";
import { turns } from "../support/turns.ts";
import { mockTime } from "../support/mocked-time.ts";

/** An outbox whose adapter declares its rates; time passes as the test says. */
function rigWith(t: TestContext, rates: OutboxRig["adapters"]["rates"]): OutboxRig {
  mockTime(t, Date.UTC(2030, 0, 1));
  const rig = new OutboxRig();
  rig.adapters.rates = rates;
  rig.outbox.adapterRunning("chat");
  return rig;
}

async function pass(t: TestContext, ms: number): Promise<void> {
  t.mock.timers.tick(ms);
  await turns();
}

describe("the outbox of an adapter with rates", () => {
  it("sends a burst and then at the conversation's pace, in order", async (t) => {
    const rig = rigWith(t, { conversations: [{ startsWith: "", perSecond: 1, burst: 2 }] });
    for (const text of ["1", "2", "3", "4"]) await rig.send("chat", text);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["1", "2"]);
    await pass(t, 999);
    assert.deepEqual(rig.adapters.texts, ["1", "2"]);
    await pass(t, 1);
    assert.deepEqual(rig.adapters.texts, ["1", "2", "3"]);
    await pass(t, 1_000);
    assert.deepEqual(rig.adapters.texts, ["1", "2", "3", "4"]);
  });

  it("lets each conversation have its turn where the credential's pace is what they wait for", async (t) => {
    const rig = rigWith(t, { credential: { perSecond: 1, burst: 1 } });
    for (const text of ["a1", "a2", "a3"]) await rig.send("chat", text, null, "a");
    for (const text of ["b1", "b2"]) await rig.send("chat", text, null, "b");
    await turns();
    for (let second = 0; second < 4; second += 1) await pass(t, 1_000);
    assert.deepEqual(rig.adapters.texts, ["a1", "a2", "b1", "a3", "b2"]);
  });

  it("leaves the others alone while one conversation is told to wait", async (t) => {
    const rig = rigWith(t, {});
    rig.adapters.answer = ({ args }) =>
      args["conversation"] === "a" ? Promise.reject(limitedFor(10_000)) : { platformMessageId: "p" };
    await rig.send("chat", "held", null, "a");
    await turns();
    await rig.send("chat", "free", null, "b");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["held", "free"]);
  });

  it("rests as a whole when two conversations are told to wait, and loses nothing", async (t) => {
    const rig = rigWith(t, {});
    rig.adapters.answer = () => Promise.reject(limitedFor(10_000));
    await rig.send("chat", "a", null, "a");
    await rig.send("chat", "b", null, "b");
    await turns();
    await rig.send("chat", "c", null, "c");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a", "b"]);
    rig.adapters.answer = () => ({ platformMessageId: "p" });
    await pass(t, 9_999);
    assert.deepEqual(rig.adapters.texts, ["a", "b"]);
    await pass(t, 1_001);
    assert.deepEqual(rig.adapters.texts.toSorted(), ["a", "a", "b", "b", "c"]);
  });
});

function limitedFor(delayMs: number): GatewayError {
  return new GatewayError("rate_limited", "slow down", { retry: { kind: "after", delayMs } });
}
