import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { MissedMessages } from "../../src/gateway/missed-messages.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

function create(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const logger = new RecordingLogger();
  const counted: (readonly [string, number])[] = [];
  const missed = new MissedMessages({ logger, onMessages: (key, messages) => counted.push([key, messages]) });
  const logged = () => logger.records.map(({ fields }) => [fields["key"], fields["messages"], fields["gapSeconds"]]);
  return { missed, counted, logger, logged };
}

describe("MissedMessages", () => {
  it("counts messages and seconds by runtime key", (t) => {
    const { missed, counted } = create(t);
    missed.add("discord", { messages: 3, gapSeconds: 1.5 });
    missed.add("discord", { messages: 0, gapSeconds: 2 });
    missed.add("discord:ops", { messages: 1, gapSeconds: 0 });
    assert.deepEqual(counted, [
      ["discord", 3],
      ["discord:ops", 1],
    ]);
    assert.deepEqual(
      [missed.gapSeconds("discord"), missed.gapSeconds("discord:ops"), missed.gapSeconds("x")],
      [3.5, 0, 0],
    );
  });

  it("logs the first report of a key at once, and the sum of what follows once a minute", (t) => {
    const { missed, logger, logged } = create(t);
    for (const messages of [1, 2, 3]) missed.add("discord", { messages, gapSeconds: 10 });
    missed.add("twitch", { messages: 7, gapSeconds: 0 });
    assert.deepEqual(logged(), [
      ["discord", 1, 10],
      ["twitch", 7, 0],
    ]);
    t.mock.timers.tick(59_999);
    assert.equal(logger.records.length, 2);
    t.mock.timers.tick(1);
    assert.deepEqual(logged().slice(2), [["discord", 5, 20]]);
    missed.add("discord", { messages: 1, gapSeconds: 0 });
    assert.equal(logger.records.length, 3, "a minute since the last line has not passed");
    t.mock.timers.tick(60_000);
    assert.deepEqual(logged().slice(3), [["discord", 1, 0]]);
    t.mock.timers.tick(120_000);
    assert.equal(logger.records.length, 4);
    missed.add("discord", { messages: 2, gapSeconds: 0 });
    assert.deepEqual(logged().slice(4), [["discord", 2, 0]]);
    assert.ok(logger.records.every(({ level, event }) => level === "warn" && event === "messages-missed"));
  });

  it("logs what is still gathered when it is disposed, and nothing afterwards", (t) => {
    const { missed, logged } = create(t);
    missed.add("discord", { messages: 1, gapSeconds: 0 });
    missed.add("discord", { messages: 4, gapSeconds: 2 });
    missed.add("slack", { messages: 1, gapSeconds: 0 });
    missed[Symbol.dispose]();
    t.mock.timers.tick(120_000);
    assert.deepEqual(logged(), [
      ["discord", 1, 0],
      ["slack", 1, 0],
      ["discord", 4, 2],
    ]);
  });
});
