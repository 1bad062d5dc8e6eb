import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { binding, fakeTime, many, routerSpec, startFlow, TestConsumer, tick } from "../support/flow-fixture.ts";

describe("recover()", () => {
  it("brings back what was under lease as redelivered, its attempt unchanged, and the rest as new", async () => {
    const first = await startFlow();
    const before = new TestConsumer(first.flow, { concurrency: 1 });
    await first.send("webhook", [...many(1, "a", "1"), ...many(1, "b", "2")]);
    assert.equal(before.got.length, 1);
    const second = await startFlow({ journal: first.journal.reopen() });
    const after = new TestConsumer(second.flow);
    await settled();
    assert.deepEqual(
      after.got.map(({ id, attempt, redelivered }) => [id.slice(-2), attempt, redelivered]),
      [
        ["a1", 1, true],
        ["b1", 1, false],
      ],
    );
    assert.deepEqual(after.texts, ["text of a1", "text of b1"]);
  });

  it("keeps a nacked message's attempt and time", async (t) => {
    fakeTime(t);
    const first = await startFlow();
    const before = new TestConsumer(first.flow);
    await first.send("webhook", many(2));
    await before.answer({ kind: "nack", delayMs: 5000, error: null });
    const second = await startFlow({ journal: first.journal.reopen() });
    const after = new TestConsumer(second.flow);
    await tick(t, 4999);
    assert.equal(after.got.length, 0);
    await tick(t, 1);
    assert.deepEqual([after.texts, after.got[0]?.attempt], [["text of 1"], 2]);
  });

  it("does not wait for a time that was set by a clock which has been put back since", async (t) => {
    fakeTime(t);
    const first = await startFlow();
    const before = new TestConsumer(first.flow);
    await first.send("webhook", many(1));
    await before.answer({ kind: "nack", delayMs: 60_000, error: null });
    t.mock.timers.setTime(0);
    const second = await startFlow({ journal: first.journal.reopen() });
    const after = new TestConsumer(second.flow);
    await settled();
    assert.deepEqual([after.texts, after.got[0]?.attempt], [["text of 1"], 2]);
  });

  it("pages through more than it asks for at once, and counts all of it", async () => {
    const first = await startFlow();
    for (let frame = 0; frame < 11; frame += 1) await first.send("webhook", many(200, `f${frame}-`, `c${frame}`));
    const second = await startFlow({ journal: first.journal.reopen() });
    assert.equal(second.flow.counts().keys["webhook"]?.pending, 2200);
    const after = new TestConsumer(second.flow);
    await settled();
    while (after.held.length > 0) {
      await after.ackAll();
      await settled();
    }
    assert.equal(new Set(after.got.map(({ seq }) => seq)).size, 2200);
    assert.deepEqual(second.flow.counts().consumers["main"], { inFlight: 0, pending: 0, dead: 0 });
  });

  it("continues a lane that is longer than what is kept in memory", async () => {
    const first = await startFlow();
    await first.send("webhook", many(250));
    const second = await startFlow({ journal: first.journal.reopen() });
    const after = new TestConsumer(second.flow);
    await settled();
    while (after.held.length > 0) {
      await after.ackAll();
      await settled();
    }
    assert.deepEqual(
      after.texts,
      many(250).map(({ id }) => `text of ${id}`),
    );
  });
});

describe("Rerouter", () => {
  it("gives the messages of a consumer that left the config to the one the router names now", async () => {
    const router = routerSpec({ bindings: [binding({ consumer: "old" })] });
    const first = await startFlow({ router, consumers: ["main", "old"] });
    await first.send("webhook", many(3));
    const second = await startFlow({ journal: first.journal.reopen() });
    const main = new TestConsumer(second.flow);
    await settled();
    while (main.held.length > 0) {
      await main.ackAll();
      await settled();
    }
    assert.deepEqual(main.texts, ["text of 1", "text of 2", "text of 3"]);
    assert.deepEqual(
      [...second.journal.rows.values()].map(({ consumer }) => consumer),
      ["main", "main", "main"],
    );
    assert.deepEqual(second.flow.counts().consumers["old"], { inFlight: 0, pending: 0, dead: 0 });
  });

  it("does the same when the config changes, for what waits and for what comes back", async () => {
    const router = routerSpec({ bindings: [binding({ consumer: "old" })] });
    const { send, flow } = await startFlow({ router, consumers: ["main", "old"] });
    const old = new TestConsumer(flow, { name: "old", concurrency: 1 });
    await send("webhook", [...many(2, "a", "1"), ...many(2, "b", "2")]);
    const main = new TestConsumer(flow);
    flow.applyRouter(routerSpec(), ["main"]);
    await settled();
    assert.deepEqual(main.texts, []);
    const detached = old.line.detach(1000);
    await settled();
    assert.deepEqual(main.texts, ["text of b1"]);
    void old.answer();
    await detached;
    await settled();
    assert.deepEqual(main.texts, ["text of b1", "text of a2"]);
  });

  it("leaves messages of a consumer that is still there where they are, whatever the bindings say now", async () => {
    const { send, flow } = await startFlow();
    await send("webhook", many(1));
    flow.applyRouter(routerSpec({ bindings: [binding({ consumer: "other" })] }), ["main", "other"]);
    const other = new TestConsumer(flow, { name: "other" });
    const main = new TestConsumer(flow);
    await send("webhook", [{ id: "new", conversation: "2" }]);
    assert.deepEqual([main.texts, other.texts], [["text of 1"], ["text of new"]]);
  });

  it("keeps messages that no configured consumer would get, until one is configured", async () => {
    const router = routerSpec({ bindings: [binding({ consumer: "old" })] });
    const { send, flow } = await startFlow({ router, consumers: ["main", "old"] });
    await send("webhook", many(1));
    flow.applyRouter(router, ["main"]);
    await settled();
    assert.equal(flow.counts().consumers["old"]?.pending, 1);
    flow.applyRouter(routerSpec(), ["main"]);
    const main = new TestConsumer(flow);
    await settled();
    assert.deepEqual(main.texts, ["text of 1"]);
  });

  it("is done with what bindings now leave to nobody", async () => {
    const { send, flow, journal } = await startFlow({
      router: routerSpec({ defaultConsumer: "old" }),
      consumers: ["main", "old"],
    });
    await send("webhook", [...many(2), { id: "m", routing: { mentionsBot: true } }]);
    const main = new TestConsumer(flow);
    flow.applyRouter(routerSpec({ bindings: [binding({ requireMention: true })] }), ["main"]);
    await settled();
    await settled();
    assert.deepEqual(main.texts, ["text of m"]);
    assert.deepEqual(
      [...journal.rows.values()].map(({ state }) => state),
      ["acked", "acked", "pending"],
    );
    const { dropped, pending, leased } = flow.counts().keys["webhook"] ?? {};
    assert.deepEqual({ dropped, pending, leased }, { dropped: 2, pending: 0, leased: 1 });
  });

  it("tries again when the journal cannot be read", async (t) => {
    fakeTime(t);
    const { send, flow, journal } = await startFlow({
      router: routerSpec({ defaultConsumer: "old" }),
      consumers: ["main", "old"],
    });
    await send("webhook", many(1));
    const main = new TestConsumer(flow);
    journal.fail(new GatewayError("journal_unavailable", "Cannot read: no disk"));
    flow.applyRouter(routerSpec(), ["main"]);
    await settled();
    journal.fail(null);
    await tick(t, 1000);
    assert.deepEqual(main.texts, ["text of 1"]);
  });
});
