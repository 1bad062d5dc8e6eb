import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { Observed } from "../../conformance/observed.ts";
import { Inbox } from "../../../workers/twitch/inbox.ts";

function message(index: number): EmittedMessage {
  return { id: String(index), conversation: "bridge", sender: { id: "a" }, text: `m${index}` };
}

function inboxFixture(emit: (texts: readonly string[]) => Promise<unknown>) {
  const ending = new AbortController();
  const lost = new Observed<readonly [number, string]>();
  const inbox = new Inbox({
    emit: (messages) => emit(messages.map(({ text }) => text)),
    onLost: (count, reason) => lost.add([count, reason]),
    signal: ending.signal,
  });
  return { inbox, lost, ending };
}

describe("Inbox", () => {
  it("hands everything over in order, several at a time when it must wait", async () => {
    const batches = new Observed<readonly string[]>();
    const gate = Promise.withResolvers<void>();
    const { inbox } = inboxFixture(async (texts) => {
      batches.add(texts);
      await gate.promise;
    });
    for (let index = 0; index < 100; index += 1) inbox.push(message(index));
    gate.resolve();
    await batches.first((texts) => texts.includes("m99"), "the last message");
    assert.deepEqual(
      batches.items.flat(),
      Array.from({ length: 100 }, (_, index) => `m${index}`),
    );
    assert.equal(batches.items[0]?.length, 1);
    assert.equal(batches.items[1]?.length, 64);
  });

  it("tries again what the gateway could not take, and loses nothing by it", async () => {
    const taken = new Observed<string>();
    let refusals = 1;
    const { inbox, lost } = inboxFixture(async (texts) => {
      refusals -= 1;
      const wait = { retry: { kind: "after", delayMs: 1 } } as const;
      if (refusals >= 0) throw new GatewayError("journal_unavailable", "away", wait);
      for (const text of texts) taken.add(text);
    });
    inbox.push(message(1));
    inbox.push(message(2));
    await taken.count(2, "both messages");
    assert.deepEqual(taken.items, ["m1", "m2"]);
    assert.deepEqual(lost.items, []);
  });

  it("loses a message that is never taken, and none beside it", async () => {
    const taken = new Observed<string>();
    const gate = Promise.withResolvers<void>();
    const { inbox, lost } = inboxFixture(async (texts) => {
      await gate.promise;
      if (texts.includes("m2")) throw new GatewayError("invalid_request", "malformed");
      for (const text of texts) taken.add(text);
    });
    for (const index of [0, 1, 2, 3]) inbox.push(message(index));
    gate.resolve();
    await taken.count(3, "the other messages");
    assert.deepEqual(taken.items, ["m0", "m1", "m3"]);
    assert.deepEqual(lost.items, [[1, "malformed"]]);
  });

  it("drops the oldest of more than it may hold, and counts them", async () => {
    const taken = new Observed<string>();
    const gate = Promise.withResolvers<void>();
    const { inbox, lost } = inboxFixture(async (texts) => {
      await gate.promise;
      for (const text of texts) taken.add(text);
    });
    for (let index = 0; index < 4_100; index += 1) inbox.push(message(index));
    gate.resolve();
    await taken.count(4_097, "all that it may hold, and what was on its way");
    assert.deepEqual(taken.items.slice(0, 3), ["m0", "m4", "m5"]);
    assert.equal(lost.items.length, 3);
  });

  it("hands over what waits when the adapter stops", async () => {
    const taken: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { inbox, lost } = inboxFixture(async (texts) => {
      await gate.promise;
      taken.push(...texts);
    });
    for (const index of [0, 1, 2]) inbox.push(message(index));
    const ended = inbox.end();
    gate.resolve();
    await ended;
    assert.deepEqual(taken, ["m0", "m1", "m2"]);
    assert.deepEqual(lost.items, []);
  });

  it("counts what still waits when the generation ends, and what was on its way", async () => {
    const gate = Promise.withResolvers<void>();
    const { inbox, lost, ending } = inboxFixture(async () => {
      await gate.promise;
      throw new GatewayError("adapter_unavailable", "its generation is over");
    });
    for (const index of [0, 1, 2]) inbox.push(message(index));
    ending.abort();
    await inbox.end();
    gate.resolve();
    await lost.count(2, "both losses");
    assert.deepEqual(
      lost.items.map(([count]) => count),
      [2, 1],
    );
  });
});
