import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { binding, fakeTime, many, routerSpec, startFlow, TestConsumer, tick } from "../support/flow-fixture.ts";

/** A flow that finds this on disk, its payloads not in memory. */
async function restarted(messages: Parameters<Awaited<ReturnType<typeof startFlow>>["send"]>[1]) {
  const first = await startFlow();
  await first.send("webhook", messages);
  return startFlow({ journal: first.journal.reopen() });
}

describe("Handout", () => {
  it("reads the payloads of one batch with one question", async () => {
    const { flow, journal } = await restarted([...many(1, "a", "1"), ...many(1, "b", "2"), ...many(1, "c", "3")]);
    const consumer = new TestConsumer(flow);
    await settled();
    assert.deepEqual(consumer.texts, ["text of a1", "text of b1", "text of c1"]);
    assert.equal(journal.asked.filter((name) => name === "payloads").length, 1);
  });

  it("tries again when payloads cannot be read, and keeps their places free meanwhile", async (t) => {
    fakeTime(t);
    const { flow, journal } = await restarted(many(2));
    const query = journal.query.bind(journal);
    let isBroken = true;
    journal.query = (name, args) =>
      isBroken && name === "payloads"
        ? Promise.reject(new GatewayError("journal_unavailable", "Cannot read: no disk"))
        : query(name, args);
    const consumer = new TestConsumer(flow);
    await settled();
    assert.deepEqual([consumer.got.length, consumer.line.inFlight], [0, 0]);
    isBroken = false;
    await tick(t, 1000);
    assert.deepEqual(consumer.texts, ["text of 1"]);
  });

  it("goes on with a lane whose head is no longer on disk", async () => {
    const { flow, journal } = await restarted(many(2));
    const query = journal.query.bind(journal);
    journal.query = async (name, args) => {
      const answer = await query(name, args);
      const rows = Array.isArray(answer) ? answer.filter((row: { readonly seq: number }) => row.seq !== 1) : answer;
      return name === "payloads" ? (rows as typeof answer) : answer;
    };
    const consumer = new TestConsumer(flow);
    await settled();
    assert.deepEqual(consumer.texts, ["text of 2"]);
    const { pending, leased } = flow.counts().keys["webhook"] ?? {};
    assert.deepEqual({ pending, leased }, { pending: 0, leased: 1 });
  });

  const granted = routerSpec({ bindings: [binding({ authority: ["u1"], settings: { model: "small" } })] });
  const refused = routerSpec({ bindings: [binding({ authority: ["u2"], settings: { model: "large" } })] });
  const stampsOf = ({ got }: TestConsumer): unknown =>
    got.map(({ senderIsAuthority, bindingSettings }) => [senderIsAuthority, bindingSettings?.["model"]]);

  it("asks the router in force when it hands out, not the one a message came in under", async () => {
    const { flow, send } = await startFlow({ router: granted });
    const consumer = new TestConsumer(flow, { concurrency: 1 });
    await send("webhook", many(3));
    flow.applyRouter(refused, ["main", "other"]);
    await consumer.answer();
    await settled();
    flow.applyRouter(granted, ["main", "other"]);
    await consumer.answer({ kind: "nack", delayMs: 0, error: null });
    await settled();
    assert.deepEqual(stampsOf(consumer), [
      [true, "small"],
      [false, "large"],
      [true, "small"],
    ]);
  });

  it("knows what to say of a message that it finds on disk", async () => {
    const first = await startFlow({ router: granted });
    await first.send("webhook", many(1));
    const { flow } = await startFlow({ journal: first.journal.reopen(), router: refused });
    const consumer = new TestConsumer(flow);
    await settled();
    assert.deepEqual(stampsOf(consumer), [[false, "large"]]);
  });

  it("grants nothing to a message whose header cannot be read", async () => {
    const { flow, journal } = await restarted(many(1));
    const query = journal.query.bind(journal);
    journal.query = async (name, args) =>
      name === "headers" ? ([{ seq: 1, header: "{" }] as never) : query(name, args);
    const consumer = new TestConsumer(flow);
    await settled();
    assert.deepEqual(stampsOf(consumer), [[false, undefined]]);
  });

  it("does not keep a long frame alive for as long as a handler takes", async () => {
    const { flow, send } = await startFlow();
    const consumer = new TestConsumer(flow);
    await send("webhook", [
      { id: 1, text: "short" },
      { id: 2, text: "x".repeat(100_000) },
    ]);
    assert.equal(consumer.got[0]?.payload.buffer.byteLength, 5);
  });
});
