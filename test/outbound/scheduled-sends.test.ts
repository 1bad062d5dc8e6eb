import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { SendState } from "../../src/contract/journal.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { OutboxRig } from "../support/outbox-rig.ts";
import { turns } from "../support/turns.ts";
import { mockTime } from "../support/mocked-time.ts";

const startMs = Date.UTC(2030, 0, 1);
const hourMs = 3_600_000;

/** From now on time passes as the test says. */
function stopTime(t: TestContext): (ms: number) => Promise<void> {
  mockTime(t, startMs);
  return async (ms) => {
    // In steps of a minute, as the clock trusts no timer for longer.
    for (let left = ms; left > 0; left -= 60_000) {
      t.mock.timers.tick(Math.min(left, 60_000));
      await turns();
    }
  };
}

function schedule(
  rig: OutboxRig,
  key: string,
  text: string,
  inMs: number,
): Promise<{ readonly id: string; readonly state: SendState }> {
  const response = { kind: "scheduled_message", text, postAt: (startMs + inMs) / 1000 } as const;
  return rig.outbox.send({ key, conversation: "room", response, idempotencyKey: null });
}

describe("a scheduled message", () => {
  it("is held until its time and then sent as a text", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    const { id, state } = await schedule(rig, "chat", "later", hourMs);
    assert.equal(state, "queued");
    await pass(hourMs - 1);
    assert.deepEqual(rig.adapters.calls, []);
    assert.equal((await rig.outbox.report(id)).state, "queued");
    await pass(1);
    assert.deepEqual(
      rig.adapters.calls.map(({ args }) => args["response"]),
      [{ kind: "text", text: "later" }],
    );
    assert.equal((await rig.outbox.report(id)).state, "confirmed");
  });

  it("does not hold up what is said in its conversation meanwhile", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    await schedule(rig, "chat", "later", hourMs);
    await rig.send("chat", "now");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["now"]);
    await pass(hourMs);
    assert.deepEqual(rig.adapters.texts, ["now", "later"]);
  });

  it("goes at its time, whichever was made first", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    await schedule(rig, "chat", "third", 3 * hourMs);
    await schedule(rig, "chat", "first", hourMs);
    await schedule(rig, "chat", "second", 2 * hourMs);
    const seen: (readonly string[])[] = [];
    for (let hour = 0; hour < 3; hour += 1) {
      await pass(hourMs);
      seen.push(rig.adapters.texts);
    }
    assert.deepEqual(seen, [["first"], ["first", "second"], ["first", "second", "third"]]);
  });

  it("goes out once after a restart, whether its time has come meanwhile or not", async (t) => {
    const pass = stopTime(t);
    const before = new OutboxRig();
    await schedule(before, "chat", "soon", hourMs);
    await schedule(before, "chat", "late", 3 * hourMs);
    await before.outbox[Symbol.asyncDispose]();
    await pass(2 * hourMs);
    assert.deepEqual(before.adapters.texts, []);
    const after = new OutboxRig(before.journal.restarted());
    after.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(after.adapters.texts, ["soon"]);
    await pass(hourMs);
    assert.deepEqual(after.adapters.texts, ["soon", "late"]);
    const last = new OutboxRig(after.journal.restarted());
    last.outbox.adapterRunning("chat");
    await pass(hourMs);
    assert.deepEqual(last.adapters.texts, []);
  });

  it("waits for an adapter that does not run at its time", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    rig.adapters.stopped.add("chat");
    await schedule(rig, "chat", "later", hourMs);
    await pass(2 * hourMs);
    assert.deepEqual(rig.adapters.texts, []);
    rig.adapters.stopped.delete("chat");
    rig.outbox.adapterRunning("chat");
    await turns();
    assert.deepEqual(rig.adapters.texts, ["later"]);
  });

  it("finds its place behind more than memory holds", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    rig.adapters.stopped.add("chat");
    await schedule(rig, "chat", "held", hourMs);
    for (let index = 0; index < 1_300; index += 1) await rig.send("chat", `t${index}`);
    await pass(hourMs);
    rig.adapters.stopped.delete("chat");
    rig.outbox.adapterRunning("chat");
    while (rig.adapters.calls.length < 1_301) await turns();
    await turns();
    assert.equal(rig.adapters.texts.filter((text) => text === "held").length, 1);
    assert.equal(new Set(rig.adapters.texts).size, 1_301);
    assert.equal(rig.adapters.texts.length, 1_301);
  });

  it("whose time comes while what lies behind it is being read goes out too", async (t) => {
    const pass = stopTime(t);
    const before = new OutboxRig();
    before.adapters.stopped.add("chat");
    await schedule(before, "chat", "held", hourMs);
    await before.send("chat", "behind it");
    await before.outbox[Symbol.asyncDispose]();
    const rig = new OutboxRig(before.journal.restarted());
    await turns();
    const answer = rig.journal.holdAnswers();
    rig.outbox.adapterRunning("chat");
    await turns();
    const release = rig.journal.holdAnswers();
    await pass(hourMs);
    release();
    await turns();
    answer();
    await turns();
    assert.deepEqual(rig.adapters.texts.toSorted(), ["behind it", "held"]);
  });

  it("goes to a platform that can wait by itself at once and as it is", async (t) => {
    stopTime(t);
    const rig = new OutboxRig();
    rig.adapters.capabilitiesOf = { scheduled_message: "native" };
    await schedule(rig, "chat", "later", hourMs);
    await turns();
    const [call] = rig.adapters.calls;
    assert.deepEqual(call?.args["response"], {
      kind: "scheduled_message",
      text: "later",
      postAt: (startMs + hourMs) / 1000,
    });
  });

  it("whose time has passed is a text on every platform", async (t) => {
    stopTime(t);
    const rig = new OutboxRig();
    rig.adapters.capabilitiesOf = { scheduled_message: "native", text: "native" };
    await schedule(rig, "chat", "late already", -hourMs);
    await turns();
    assert.deepEqual(rig.adapters.calls[0]?.args["response"], { kind: "text", text: "late already" });
  });

  it("is mail at its time where clients fetch, once, also over a restart", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    const postAt = (startMs + hourMs) / 1000;
    await rig.settle("m1", "web", { kind: "scheduled_message", text: "from a handler", postAt });
    await schedule(rig, "web", "from outside", hourMs);
    assert.deepEqual(await rig.mailOnDisk(), []);
    await pass(hourMs);
    assert.deepEqual(await rig.mailOnDisk(), ["from a handler", "from outside"]);
    assert.equal(rig.mail.length, 2);
    const after = new OutboxRig(rig.journal.restarted());
    after.outbox.adapterRunning("web");
    await pass(hourMs);
    assert.deepEqual(await after.mailOnDisk(), ["from a handler", "from outside"]);
  });

  it("is not said twice where its time comes while the adapter comes back", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    await schedule(rig, "web", "once", hourMs);
    rig.journal.hold();
    await pass(hourMs);
    rig.journal.release(1);
    await turns();
    rig.outbox.adapterRunning("web");
    await turns();
    rig.journal.release();
    await turns();
    assert.deepEqual(await rig.mailOnDisk(), ["once"]);
  });

  it("more than a year ahead is refused: milliseconds instead of seconds", async (t) => {
    stopTime(t);
    const rig = new OutboxRig();
    await assert.rejects(schedule(rig, "chat", "x", (startMs + hourMs) * 1000), {
      code: "invalid_request",
      message: /expected seconds since 1970, at most 366 days ahead/u,
    });
  });

  it("is released once the journal is back", async (t) => {
    const pass = stopTime(t);
    const rig = new OutboxRig();
    await schedule(rig, "chat", "later", hourMs);
    await pass(hourMs - 1);
    rig.journal.fail(new GatewayError("journal_unavailable", "no disk"));
    await pass(1);
    assert.deepEqual(rig.adapters.texts, []);
    assert.ok(rig.logger.records.some(({ event }) => event === "held-sends-not-released"));
    rig.journal.fail(null);
    await pass(2_000);
    assert.deepEqual(rig.adapters.texts, ["later"]);
  });
});
