import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EchoConsumer } from "../../src/consume/echo-consumer.ts";
import { consumerSpec } from "../support/consumer-spec.ts";
import { FakeDispatcher } from "../support/fake-line.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { storedPayload } from "../support/stored-payload.ts";

async function start() {
  const dispatcher = new FakeDispatcher();
  const consumer = new EchoConsumer({ spec: consumerSpec(), dispatcher, logger: silentLogger });
  return { consumer, line: await dispatcher.line() };
}

describe("EchoConsumer", () => {
  it("answers every text with itself", async () => {
    const { line } = await start();
    line.deliver(["a", "b"]);
    line.deliver(["c"]);
    await line.until(() => line.settled.length === 3);
    assert.deepEqual(line.replies, [
      ["a", "a"],
      ["b", "b"],
      ["c", "c"],
    ]);
  });

  it("acks without a reply what has no text", async () => {
    const { line } = await start();
    line.deliver(["a"], { payload: storedPayload({ text: "", kind: "reaction" }) });
    await line.until(() => line.settled.length === 1);
    assert.deepEqual(line.replies, [["a", null]]);
  });

  it("rejects what would hold up the gateway's loop, or cannot be read", async () => {
    const { line } = await start();
    line.deliver(["a"], { payload: storedPayload({ text: "x".repeat(1_100_000) }) });
    line.deliver(["b"], { payload: Buffer.from("{") });
    await line.until(() => line.settled.length === 2);
    assert.deepEqual(
      line.settled.map(({ outcome }) => outcome.kind),
      ["reject", "reject"],
    );
  });

  it("detaches when it is stopped", async () => {
    const { consumer, line } = await start();
    await consumer.stop(0);
    assert.ok(line.isDetached);
  });
});
