import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LibraryConsumer } from "../../src/consume/library-consumer.ts";
import type { LibraryDelivery } from "../../src/consume/library-delivery.ts";
import { consumerSpec } from "../support/consumer-spec.ts";
import { FakeDispatcher } from "../support/fake-line.ts";
import { FakeServices } from "../support/fake-services.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { turns } from "../support/turns.ts";

class Rig {
  readonly dispatcher = new FakeDispatcher();
  readonly services = new FakeServices();
  readonly consumer = new LibraryConsumer({
    spec: consumerSpec({ target: { kind: "library" } }),
    dispatcher: this.dispatcher,
    services: this.services,
    logger: silentLogger,
  });
}

async function next(messages: AsyncGenerator<LibraryDelivery, void, undefined>): Promise<LibraryDelivery> {
  const { value } = await messages.next();
  assert.ok(value !== undefined);
  return value;
}

describe("LibraryConsumer", () => {
  it("leaves messages in the journal until somebody reads", async () => {
    const { consumer, dispatcher } = new Rig();
    assert.equal(dispatcher.lines.length, 0);
    const messages = consumer.messages();
    const pending = messages.next();
    const line = await dispatcher.line();
    assert.equal(line.limits.concurrency, 16);
    line.deliver(["a"]);
    assert.equal((await pending).value?.message.text, "a");
  });

  it("gives messages in order, those that came before they were asked for too", async () => {
    const { consumer, dispatcher } = new Rig();
    const messages = consumer.messages();
    const first = messages.next();
    const line = await dispatcher.line();
    line.deliver(["a", "b", "c"]);
    assert.equal((await first).value?.message.text, "a");
    assert.equal((await next(messages)).message.text, "b");
    assert.equal((await next(messages)).message.text, "c");
  });

  it("gives each message its own copy of its binding's settings", async () => {
    const { consumer, dispatcher } = new Rig();
    const messages = consumer.messages();
    const first = messages.next();
    const line = await dispatcher.line();
    const bindingSettings = { tools: ["search"] };
    line.deliver(["a"], { senderIsAuthority: false, bindingSettings });
    const { metadata } = (await first).value?.message ?? assert.fail("no message");
    assert.equal(metadata["sender_is_authority"], false);
    const settings = metadata["binding_settings"] as { readonly tools: string[] };
    settings.tools.push("mine");
    assert.deepEqual(bindingSettings, { tools: ["search"] });
  });

  it("settles as it is told", async () => {
    const { consumer, dispatcher } = new Rig();
    const messages = consumer.messages();
    const first = messages.next();
    const line = await dispatcher.line();
    line.deliver(["a", "b", "c"]);
    await (await first).value?.ack();
    await (await next(messages)).nack(500);
    const third = await next(messages);
    assert.equal(third.extend(1000), true);
    await third.reject("no use");
    assert.equal(third.extend(1000), false);
    assert.deepEqual(
      line.settled.map(({ outcome }) => outcome),
      [{ kind: "ack" }, { kind: "nack", delayMs: 500, error: null }, { kind: "reject", reason: "no use" }],
    );
  });

  it("responds before the ack, numbered, and known as a possible repetition", async () => {
    const { consumer, dispatcher, services } = new Rig();
    const messages = consumer.messages();
    const first = messages.next();
    const line = await dispatcher.line();
    line.deliver(["a"], { redelivered: true });
    const delivery = (await first).value;
    assert.ok(delivery !== undefined);
    void delivery.respond("one");
    void delivery.respond({ kind: "text", text: "two" });
    await delivery.ack();
    const replies = services.calls.map(({ request }) => {
      const { reply, mayRepeat, messageId } = request as Parameters<FakeServices["replyNow"]>[0];
      return [messageId, reply.index, Buffer.from(reply.response).toString(), mayRepeat];
    });
    assert.deepEqual(replies, [
      ["m-a", 0, '{"kind":"text","text":"one"}', true],
      ["m-a", 1, '{"kind":"text","text":"two"}', true],
    ]);
    await assert.rejects(delivery.respond("late"), { code: "conflict" });
    await assert.rejects(delivery.respond({ kind: "nonsense" } as never), { code: "invalid_request" });
  });

  it("counts an attempt only for what was taken when the time is over", async () => {
    const { consumer, dispatcher } = new Rig();
    const messages = consumer.messages();
    const first = messages.next();
    const line = await dispatcher.line();
    line.deliver(["taken", "queued"]);
    await first;
    consumer.expire(["taken", "queued"]);
    assert.deepEqual(line.released, [
      { receipt: "taken", countAttempt: true, code: null },
      { receipt: "queued", countAttempt: false, code: null },
    ]);
  });

  it("gives back what nobody took when the loop is left, and lets the rest be settled", async () => {
    const { consumer, dispatcher } = new Rig();
    const loop = (async () => {
      for await (const delivery of consumer.messages()) return delivery;
      return null;
    })();
    const line = await dispatcher.line();
    line.deliver(["a", "b"]);
    const delivery = await loop;
    assert.ok(line.isDetached);
    assert.deepEqual(
      line.released.map(({ receipt }) => receipt),
      ["b"],
    );
    await delivery?.ack();
    assert.deepEqual(
      line.settled.map(({ receipt }) => receipt),
      ["a"],
    );
  });

  it("is read again at once, whatever is still unsettled", async () => {
    const { consumer, dispatcher } = new Rig();
    const leave = consumer.messages();
    const first = leave.next();
    const line = await dispatcher.line();
    line.deliver(["a"]);
    await first;
    await leave.return();
    const again = consumer.messages().next();
    const second = await dispatcher.line(2);
    second.deliver(["b"]);
    assert.equal((await again).value?.message.text, "b");
  });

  it("shares the messages between readers", async () => {
    const { consumer, dispatcher } = new Rig();
    const pending = [consumer.messages().next(), consumer.messages().next()];
    const line = await dispatcher.line();
    line.deliver(["a", "b"]);
    const texts = (await Promise.all(pending)).map(({ value }) => value?.message.text);
    assert.deepEqual(texts, ["a", "b"]);
  });

  it("ends every reader when it stops, and one whose signal is aborted", async () => {
    const { consumer, dispatcher } = new Rig();
    const abort = new AbortController();
    const aborted = consumer.messages(abort.signal).next();
    const stopped = consumer.messages().next();
    await dispatcher.line();
    await turns();
    abort.abort();
    assert.equal((await aborted).done, true);
    await consumer.stop(0);
    assert.equal((await stopped).done, true);
    assert.equal((await consumer.messages().next()).done, true);
  });

  it("rejects a message that cannot be read, and goes on", async () => {
    const { consumer, dispatcher } = new Rig();
    const messages = consumer.messages();
    const first = messages.next();
    const line = await dispatcher.line();
    line.deliver(["bad"], { payload: Buffer.from("{") });
    line.deliver(["good"]);
    assert.equal((await first).value?.message.text, "good");
    assert.deepEqual(
      line.settled.map(({ receipt, outcome }) => [receipt, outcome.kind]),
      [["bad", "reject"]],
    );
  });
});
