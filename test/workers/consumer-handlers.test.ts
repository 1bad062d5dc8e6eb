import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { frameKinds, parseMeta } from "../../src/contract/frame.ts";
import type { Message } from "../../src/contract/message.ts";
import type { EventMeta, LogRecord } from "../../src/contract/protocol.ts";
import { RejectMessage } from "../../src/contract/reject-message.ts";
import { ConsumerBench } from "../support/consumer-bench.ts";
import { storedPayload } from "../support/stored-payload.ts";

function repliesOf(bench: ConsumerBench): unknown[] {
  return bench.requests
    .filter(({ method }) => method === "consumer.reply")
    .map(({ args }) => {
      const { index, response } = args as { index: number; response: string };
      return [index, (JSON.parse(response) as { text: string }).text];
    });
}

describe("a handler", () => {
  it("gets the message with its attempt, and acks it by resolving", async () => {
    const seen: Message[] = [];
    using bench = new ConsumerBench((message) => void seen.push(message));
    bench.deliver([{ receipt: "r1", text: "héllo", attempt: 2, redelivered: true }]);
    const [settled] = await bench.settlements(1);
    assert.deepEqual(settled?.outcome, { kind: "ack" });
    assert.equal(settled.reply, null);
    const [message] = seen;
    assert.deepEqual([message?.text, message?.attempt, message?.redelivered], ["héllo", 2, true]);
    assert.equal(message?.lane, "web/room");
  });

  it("is told by the router, and by nobody else, whether the sender may give commands and what its binding is set to", async () => {
    const seen: Message[] = [];
    using bench = new ConsumerBench((message) => void seen.push(message));
    const payload = storedPayload({ metadata: { sender_is_authority: true, binding_settings: "mine", own: 1 } });
    bench.deliver([
      { receipt: "r1", payload, senderIsAuthority: false },
      { receipt: "r2", bindingSettings: { model: "small" } },
    ]);
    await bench.settlements(2);
    assert.deepEqual(
      seen.map(({ metadata }) => metadata),
      [
        { own: 1, sender_is_authority: false, binding_settings: {} },
        { message_id: "p1", sender_is_authority: true, binding_settings: { model: "small" } },
      ],
    );
  });

  it("replies with the text it returns, in the frame of its ack", async () => {
    using bench = new ConsumerBench((message) => `echo ${message.text}`);
    bench.deliver([
      { receipt: "r1", text: "a" },
      { receipt: "r2", text: "b" },
    ]);
    const settled = await bench.settlements(2);
    assert.deepEqual(
      settled.map(({ receipt, reply, replyIndex }) => [receipt, reply, replyIndex]),
      [
        ["r1", { kind: "text", text: "echo a" }, 0],
        ["r2", { kind: "text", text: "echo b" }, 0],
      ],
    );
    assert.equal(bench.frames.filter(({ kind }) => kind === frameKinds.data).length, 1);
    assert.deepEqual(bench.requests, []);
  });

  it("replies with a response in full form", async () => {
    using bench = new ConsumerBench(() => ({ kind: "file", filename: "a.txt", data: "YQ==" }));
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.deepEqual(settled?.reply, {
      kind: "file",
      filename: "a.txt",
      mimeType: "application/octet-stream",
      data: "YQ==",
    });
  });

  it("is nacked for a response that is none, the wrong field named", async () => {
    using bench = new ConsumerBench(() => ({ kind: "text", txt: "typo" }));
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.ok(settled?.outcome.kind === "nack");
    assert.equal(settled.outcome.error.code, "invalid_request");
    assert.match(settled.outcome.error.message, /text/u);
  });

  it("is nacked by throwing, with the error it threw", async () => {
    using bench = new ConsumerBench(async () => {
      throw new Error("database is away");
    });
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.ok(settled?.outcome.kind === "nack");
    assert.deepEqual([settled.outcome.error.message, settled.outcome.delayMs], ["database is away", null]);
  });

  it("is named in the log when it threw, with its message and adapter", async () => {
    using bench = new ConsumerBench(async () => {
      throw new Error("database is away");
    });
    const recordsOf = (): readonly LogRecord[] =>
      bench.frames
        .filter(({ kind }) => kind === frameKinds.event)
        .map((frame) => parseMeta(frame) as EventMeta)
        .flatMap((meta) => (meta.event === "log" ? meta.records : []));
    bench.deliver([{ receipt: "r1" }, { receipt: "r2", payload: Buffer.from("{") }]);
    await bench.until(() => recordsOf().length === 2);
    const records = recordsOf().map(({ name, fields: { key, messageId, receipt } }) => [name, key, messageId, receipt]);
    assert.deepEqual(
      new Set(records.map((record) => JSON.stringify(record))),
      new Set([
        JSON.stringify(["handler-failed", "web", "m-r1", "r1"]),
        JSON.stringify(["handler-failed", null, null, "r2"]),
      ]),
    );
  });

  it("is rejected by a RejectMessage, also of another copy of the class", async () => {
    class Foreign extends Error {
      override readonly name = "RejectMessage";
    }
    using bench = new ConsumerBench(({ text }) => {
      throw text === "own" ? new RejectMessage("no such user") : new Foreign("no such thing");
    });
    bench.deliver([
      { receipt: "r1", text: "own" },
      { receipt: "r2", text: "foreign" },
    ]);
    const settled = await bench.settlements(2);
    assert.deepEqual(
      settled.map(({ outcome }) => outcome),
      [
        { kind: "reject", reason: "no such user" },
        { kind: "reject", reason: "no such thing" },
      ],
    );
  });

  it("is nacked alone when its message cannot be read", async () => {
    using bench = new ConsumerBench(() => "fine");
    bench.deliver([{ receipt: "r1", payload: Buffer.from("{") }, { receipt: "r2" }]);
    await bench.settlements(2);
    const outcomes = new Map(bench.settled.map(({ receipt, outcome }) => [receipt, outcome.kind]));
    assert.deepEqual([outcomes.get("r1"), outcomes.get("r2")], ["nack", "ack"]);
  });

  it("runs beside others", async () => {
    const gate = Promise.withResolvers<void>();
    using bench = new ConsumerBench(({ text }) => (text === "slow" ? gate.promise : undefined));
    bench.deliver([{ receipt: "r1", text: "slow" }, { receipt: "r2" }]);
    await bench.settlements(1);
    assert.deepEqual(
      bench.settled.map(({ receipt }) => receipt),
      ["r2"],
    );
    gate.resolve();
    await bench.settlements(2);
  });

  it("has its signal aborted when it is over its time, and no other's", async () => {
    const other = Promise.withResolvers<boolean>();
    using bench = new ConsumerBench(async ({ text }, { signal }) => {
      if (text === "other") {
        other.resolve(signal.aborted);
        return;
      }
      const aborted = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => aborted.reject(signal.reason as Error), { once: true });
      await aborted.promise;
    });
    bench.deliver([{ receipt: "r1" }, { receipt: "r2", text: "other" }]);
    await bench.settlements(1);
    bench.abort(["r1"]);
    const settled = await bench.settlements(2);
    assert.ok(settled[1]?.outcome.kind === "nack");
    assert.equal(settled[1].outcome.error.code, "timeout");
    assert.equal(await other.promise, false);
  });

  it("sees an abort that came before it asked for its signal", async () => {
    const gate = Promise.withResolvers<void>();
    using bench = new ConsumerBench(async ({ text }, context) => {
      if (text === "after") return gate.resolve();
      await gate.promise;
      return String(context.signal.aborted);
    });
    bench.deliver([{ receipt: "r1" }]);
    bench.abort(["r1"]);
    bench.deliver([{ receipt: "r2", text: "after" }]);
    await bench.settlements(2);
    const settled = bench.settled.find(({ receipt }) => receipt === "r1");
    assert.deepEqual(settled?.reply, { kind: "text", text: "true" });
  });

  it("sends 256 settlements in a frame at most", async () => {
    using bench = new ConsumerBench(() => undefined);
    bench.deliver(Array.from({ length: 600 }, (_value, index) => ({ receipt: `r${index}` })));
    await bench.settlements(600);
    for (const frame of bench.frames) assert.ok(frame.meta.length < 256 * 120);
    assert.ok(bench.frames.filter(({ kind }) => kind === frameKinds.data).length >= 3);
  });
});

describe("context.reply()", () => {
  it("numbers replies, the returned one last", async () => {
    using bench = new ConsumerBench(async (_message, { reply }) => {
      await reply("one");
      await reply({ kind: "text", text: "two" });
      return "three";
    });
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.deepEqual(repliesOf(bench), [
      [0, "one"],
      [1, "two"],
    ]);
    assert.deepEqual([settled?.replyIndex, settled?.reply], [2, { kind: "text", text: "three" }]);
  });

  it("keeps the order of replies that are not waited for, and their message until they are taken", async () => {
    using bench = new ConsumerBench((_message, { reply }) => {
      void reply({ kind: "text", text: "one" });
      void reply("two");
      return "three";
    });
    bench.answer = () => undefined;
    bench.deliver([{ receipt: "r1" }]);
    await bench.until(() => bench.requests.length === 1);
    const [first] = bench.requests;
    assert.ok(first !== undefined);
    bench.answerLate(first, null);
    await bench.until(() => bench.requests.length === 2);
    assert.deepEqual(bench.settled, []);
    assert.deepEqual(repliesOf(bench), [
      [0, "one"],
      [1, "two"],
    ]);
    const second = bench.requests[1];
    assert.ok(second !== undefined);
    bench.answerLate(second, null);
    const [settled] = await bench.settlements(1);
    assert.equal(settled?.replyIndex, 2);
  });

  it("gives a stream's chunks no number, so that any count of them leaves the end the same", async () => {
    using bench = new ConsumerBench(async (_message, { reply }) => {
      await reply({ kind: "stream_start" });
      for (const text of ["a", "ab", "abc"]) await reply({ kind: "stream_chunk", text });
      await reply({ kind: "stream_end", text: "abcd" });
    });
    bench.deliver([{ receipt: "r1" }]);
    await bench.settlements(1);
    assert.deepEqual(
      bench.requests.map(({ args }) => {
        const { index, volatile } = args as { index: number; volatile: boolean };
        return volatile ? "chunk" : index;
      }),
      [0, "chunk", "chunk", "chunk", 1],
    );
  });

  it("sends a returned reply ahead of the ack when the message was handed out before", async () => {
    using bench = new ConsumerBench(() => "again");
    bench.deliver([
      { receipt: "r1", redelivered: true },
      { receipt: "r2", attempt: 2 },
    ]);
    const settled = await bench.settlements(2);
    assert.deepEqual(
      settled.map(({ reply }) => reply),
      [null, null],
    );
    assert.deepEqual(repliesOf(bench), [
      [0, "again"],
      [0, "again"],
    ]);
  });

  it("does not ack what could not be said when nobody looked", async () => {
    using bench = new ConsumerBench((_message, { reply }) => {
      void reply("lost");
    });
    bench.answer = () => new GatewayError("journal_unavailable", "no disk");
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.ok(settled?.outcome.kind === "nack");
    assert.equal(settled.outcome.error.code, "journal_unavailable");
  });

  it("leaves a failure that the handler has caught to the handler", async () => {
    using bench = new ConsumerBench(async (_message, { reply }) => {
      await reply("lost").catch(() => {});
    });
    bench.answer = () => new GatewayError("unsupported_response", "no");
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.equal(settled?.outcome.kind, "ack");
  });

  it("refuses a response that is too large to travel", async () => {
    using bench = new ConsumerBench(() => "x".repeat(17_000_000));
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.ok(settled?.outcome.kind === "nack");
    assert.equal(settled.outcome.error.code, "too_large");
  });
});

describe("the rest of the context", () => {
  it("asks for what it is asked for, with the receipt", async () => {
    using bench = new ConsumerBench(async (_message, { setStatus, history, send, extend, log }) => {
      await setStatus("thinking");
      const past = await history();
      const sent = await send("web/other", "there");
      log.info("asked-all", { past: past.length });
      return `${await extend(5000)} ${sent.state}`;
    });
    bench.answer = ({ method }) => {
      if (method === "consumer.history") return [];
      if (method === "consumer.send") return { id: "s1", state: "queued" };
      return method === "consumer.extend" ? true : null;
    };
    bench.deliver([{ receipt: "r1" }]);
    const [settled] = await bench.settlements(1);
    assert.deepEqual(settled?.reply, { kind: "text", text: "true queued" });
    assert.deepEqual(
      bench.requests.map(({ method, args }) => ({ method, args })),
      [
        { method: "consumer.setStatus", args: { status: { kind: "thinking" }, replyTo: null, receipt: "r1" } },
        { method: "consumer.history", args: { limit: 50, before: "p1", replyTo: null, receipt: "r1" } },
        {
          method: "consumer.send",
          args: { target: "web/other", index: 0, response: '{"kind":"text","text":"there"}', receipt: "r1" },
        },
        { method: "consumer.extend", args: { ms: 5000, receipt: "r1" } },
      ],
    );
  });
});
