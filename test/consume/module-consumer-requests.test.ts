import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { turns } from "../support/turns.ts";
import { ack, answersOf, ask, emit, Rig } from "../support/module-consumer-rig.ts";

describe("ModuleConsumer, asked by a handler", () => {
  it("puts an early reply into the outbox under the message's id", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"], { attempt: 2 });
    ask(rig.last, "consumer.reply", {
      receipt: "a",
      index: 3,
      volatile: false,
      response: '{"kind":"text","text":"x"}',
    });
    await turns();
    assert.deepEqual(rig.services.calls, [
      {
        name: "replyNow",
        request: {
          key: "web",
          conversation: "a",
          messageId: "m-a",
          reply: { index: 3, response: Buffer.from('{"kind":"text","text":"x"}') },
          mayRepeat: true,
        },
      },
    ]);
    assert.deepEqual(answersOf(rig.last), [{ id: 7, outcome: { ok: true, value: null } }]);
  });

  it("hands on chunks, statuses, history, sends and extensions", async (t) => {
    const rig = new Rig(t);
    const line = await rig.dispatcher.line();
    line.deliver(["a"]);
    ask(rig.last, "consumer.reply", {
      receipt: "a",
      index: 0,
      volatile: true,
      response: '{"kind":"stream_chunk","text":"x"}',
    });
    const replyTo = { thread: "T" };
    ask(rig.last, "consumer.setStatus", { receipt: "a", status: { kind: "thinking" } });
    ask(rig.last, "consumer.history", { receipt: "a", limit: 10_000, before: "p1", replyTo });
    ask(rig.last, "consumer.send", { receipt: "a", index: 1, target: "web/b", response: '{"kind":"text","text":"x"}' });
    ask(rig.last, "consumer.extend", { receipt: "a", ms: 1000 });
    await turns();
    assert.deepEqual(rig.services.calls, [
      {
        name: "streamChunk",
        request: { key: "web", conversation: "a", response: { kind: "stream_chunk", text: "x" } },
      },
      { name: "setStatus", request: { key: "web", conversation: "a", status: { kind: "thinking" }, replyTo: null } },
      { name: "history", request: { key: "web", conversation: "a", limit: 200, before: "p1", replyTo } },
      {
        name: "send",
        request: { target: "web/b", response: { kind: "text", text: "x" }, idempotencyKey: "m-a/send/1" },
      },
    ]);
    assert.equal(answersOf(rig.last).length, 5);
  });

  const refused: readonly (readonly [title: string, method: string, args: unknown, code: string])[] = [
    ["about a message that it does not hold", "consumer.extend", { receipt: "z", ms: 1 }, "conflict"],
    [
      "with a replyTo that is none",
      "consumer.setStatus",
      { receipt: "a", status: { kind: "thinking" }, replyTo: [1] },
      "invalid_request",
    ],
    ["for an attachment without a ref", "attachment", { receipt: "a" }, "invalid_request"],
    ["for what only adapters may have", "mailbox.read", { receipt: "a" }, "invalid_request"],
    [
      "with a status that is none",
      "consumer.setStatus",
      { receipt: "a", status: { kind: "dancing" } },
      "invalid_request",
    ],
    ["with a reply without a number", "consumer.reply", { receipt: "a", response: "{}" }, "invalid_request"],
    [
      "to send what is no response",
      "consumer.send",
      { receipt: "a", index: 0, target: "web/b", response: "{" },
      "invalid_request",
    ],
    ["without any arguments", "consumer.reply", null, "conflict"],
  ];
  for (const [title, method, args, code] of refused)
    it(`refuses a request ${title}`, async (t) => {
      const rig = new Rig(t);
      const line = await rig.dispatcher.line();
      line.deliver(["a"]);
      ask(rig.last, method, args);
      await turns();
      const [answer] = answersOf(rig.last) as { outcome: { ok: boolean; error: { code: string } } }[];
      assert.equal(answer?.outcome.ok, false);
      assert.equal(answer.outcome.error.code, code);
      assert.deepEqual(rig.services.calls, []);
    });

  it("ends a thread whose frames make no sense, and lives on", async (t) => {
    for (const meta of [
      null,
      {},
      { settlements: [null] },
      { settlements: [{ receipt: "a", outcome: ack, replyBytes: 9, replyIndex: 0 }] },
    ]) {
      t.mock.timers.reset();
      const rig = new Rig(t);
      const line = await rig.dispatcher.line();
      line.deliver(["a"]);
      emit(rig.last, meta);
      await turns();
      assert.deepEqual(line.released, [{ receipt: "a", countAttempt: true, code: "invalid_request" }]);
      assert.equal(rig.hosts.opened.length, 2);
    }
  });

  it("writes its thread's log under its own name", async (t) => {
    const rig = new Rig(t);
    await rig.dispatcher.line();
    const records = [{ level: "warn", name: "low-on-ink", fields: { left: 3 } }] as const;
    rig.last.emitEvent({ event: "log", records, dropped: 2 });
    const logged = rig.logger.records.filter(({ level }) => level === "warn");
    assert.deepEqual(logged, [
      { level: "warn", event: "low-on-ink", fields: { left: 3, consumer: "main" } },
      { level: "warn", event: "log-records-dropped", fields: { consumer: "main", dropped: 2 } },
    ]);
  });
});
