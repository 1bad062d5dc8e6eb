import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { settled } from "../support/fake-journal.ts";
import { binding, many, messageId, routerSpec, startFlow, TestConsumer } from "../support/flow-fixture.ts";

describe("FanIn", () => {
  it("settles a frame only when it is on disk", async () => {
    const { send, journal } = await startFlow();
    journal.hold();
    let isSettled = false;
    const sent = send("webhook", many(2)).then((error) => {
      isSettled = true;
      return error;
    });
    await settled();
    assert.equal(isSettled, false);
    assert.equal(journal.rows.size, 0);
    await journal.finish();
    assert.equal(await sent, null);
    assert.deepEqual(
      [...journal.rows.values()].map((row) => row.id),
      [messageId(1), messageId(2)],
    );
  });

  it("cuts the payloads out of the body in their order", async () => {
    const { send, journal } = await startFlow();
    await send("webhook", [
      { id: 1, text: "one" },
      { id: 2, text: "" },
      { id: 3, text: "drei" },
    ]);
    assert.deepEqual(
      [...journal.rows.values()].map((row) => Buffer.from(row.payload).toString()),
      ["one", "", "drei"],
    );
  });

  it("numbers on from what the journal last gave out", async () => {
    const first = await startFlow();
    await first.send("webhook", many(3));
    const second = await startFlow({ journal: first.journal.reopen() });
    await second.send("webhook", many(2, "x"));
    assert.deepEqual([...second.journal.rows.keys()], [1, 2, 3, 4, 5]);
  });

  it("accepts a duplicate, counts it once and delivers the message once", async () => {
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    assert.equal(await send("webhook", [{ id: 1 }]), null);
    assert.equal(await send("webhook", [{ id: 1 }]), null);
    assert.equal(await send("webhook", [{ id: 2 }, { id: 2 }]), null);
    await consumer.ackAll();
    await settled();
    assert.deepEqual(consumer.texts, ["text of 1", "text of 2"]);
    const { in: received, duplicates, pending, leased } = flow.counts().keys["webhook"] ?? {};
    assert.deepEqual(
      { received, duplicates, pending, leased },
      { received: 2, duplicates: 2, pending: 1 - 1, leased: 1 },
    );
  });

  it("lets a duplicate's place at the consumer go to the next message of its lane", async () => {
    const { send, flow } = await startFlow();
    const consumer = new TestConsumer(flow, { concurrency: 1 });
    await send("webhook", [{ id: 1 }]);
    await consumer.ackAll();
    await send("webhook", [{ id: 1 }, { id: 2 }]);
    await settled();
    assert.deepEqual(consumer.texts, ["text of 1", "text of 2"]);
    assert.equal(flow.counts().keys["webhook"]?.unackedBytes, "text of 2".length);
  });

  it("stores the resume state in the transaction of the messages it follows", async () => {
    const { send, journal } = await startFlow();
    await send("telegram", many(2), { resume: { offset: 9 } });
    assert.deepEqual(
      journal.commits.map((writes) => writes.map(({ op }) => op)),
      [["accept", "accept", "put"]],
    );
    assert.deepEqual(await journal.query("scope", { scope: "resume" }), { telegram: '{"offset":9}' });
  });

  it("stores a resume state that comes without messages, and refuses one that is too long", async () => {
    const { send, journal } = await startFlow();
    assert.equal(await send("telegram", [], { resume: 5 }), null);
    assert.deepEqual(await journal.query("scope", { scope: "resume" }), { telegram: "5" });
    assert.equal((await send("telegram", many(1), { resume: "x".repeat(70_000) }))?.code, "too_large");
    assert.equal(journal.rows.size, 0);
  });

  it("accepts nothing that the journal did not take, and takes it when it comes again", async () => {
    const { send, journal, flow } = await startFlow();
    const consumer = new TestConsumer(flow);
    journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
    assert.equal((await send("webhook", many(3), { resume: 1 }))?.code, "journal_unavailable");
    assert.equal(consumer.got.length, 0);
    assert.equal(flow.counts().keys["webhook"]?.unackedBytes, 0);
    assert.equal(consumer.line.inFlight, 0);
    journal.fail(null);
    assert.equal(await send("webhook", many(3)), null);
    assert.deepEqual(consumer.texts, ["text of 1"]);
  });

  it("refuses at once while the journal is in trouble", async () => {
    const { send, journal } = await startFlow();
    journal.trouble = "its thread is gone";
    const error = await send("webhook", many(1));
    assert.equal(error?.code, "journal_unavailable");
    assert.match(error?.message ?? "", /its thread is gone/);
    assert.equal(journal.waiting, 0);
  });

  it("takes a quiet adapter's message into the next transaction while another floods", async () => {
    const { send, journal } = await startFlow();
    journal.hold();
    for (let frame = 0; frame < 8; frame += 1) void send("flood", many(250, `f${frame}-`));
    await settled();
    void send("quiet", many(1, "q"));
    await journal.finish(1);
    await journal.finish(1);
    const keys = journal.commits[1]?.map((write) => (write.op === "accept" ? write.key : ""));
    assert.ok(keys?.includes("quiet"));
    assert.ok((keys?.length ?? 0) <= 512 + 256);
    await journal.resume();
  });

  it("refuses an adapter that sends far beyond its window", async () => {
    const { send, journal } = await startFlow();
    journal.hold();
    const sent = Array.from({ length: 14 }, (_, frame) => send("flood", many(256, `f${frame}-`)));
    await settled();
    const other = send("quiet", many(1, "q"));
    await journal.resume();
    const codes = (await Promise.all(sent)).map((error) => error?.code ?? null);
    assert.ok(codes.includes("queue_full"));
    assert.equal(await other, null);
  });

  it("accepts what a binding drops, counts it and stores no row", async () => {
    const router = routerSpec({ bindings: [binding({ requireMention: true })] });
    const { send, journal, flow } = await startFlow({ router });
    const consumer = new TestConsumer(flow);
    assert.equal(await send("webhook", [{ id: 1 }, { id: 2, routing: { mentionsBot: true } }]), null);
    assert.deepEqual(consumer.texts, ["text of 2"]);
    assert.equal(journal.rows.size, 1);
    assert.equal(flow.counts().keys["webhook"]?.dropped, 1);
    assert.equal(flow.counts().keys["webhook"]?.unackedBytes, "text of 2".length);
  });

  it("tells watchers of each new message once, and survives one that throws", async () => {
    const { send, flow, accepted } = await startFlow();
    flow.onAccepted(() => {
      throw new Error("watcher");
    });
    assert.equal(await send("webhook", [{ id: 1 }, { id: 1 }, { id: 2 }]), null);
    assert.deepEqual(
      accepted.map(({ seq, header, consumer }) => [seq, header.id, consumer]),
      [
        [1, messageId(1), "main"],
        [3, messageId(2), "main"],
      ],
    );
  });

  it("survives a settle that throws", async () => {
    const { send, flow } = await startFlow();
    const meta = { frame: 1, headers: [] };
    flow.receive({
      key: "webhook",
      meta,
      body: new Uint8Array(0),
      settle: () => {
        throw new Error("the thread is gone");
      },
    });
    assert.equal(await send("webhook", many(1)), null);
  });

  it("refuses everything once intake is stopped, and still stores what was in", async () => {
    const { send, journal, flow } = await startFlow();
    journal.hold();
    const before = send("webhook", many(1));
    flow.stopIntake();
    const after = await send("webhook", many(1, "x"));
    await journal.resume();
    assert.equal(await before, null);
    assert.equal(after?.code, "adapter_unavailable");
  });
});
