import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { StreamChunks } from "../../src/outbound/stream-chunks.ts";
import { FakeAdapters } from "../support/fake-adapters.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { turns } from "../support/turns.ts";
import { mockTime } from "../support/mocked-time.ts";

class Rig {
  readonly adapters = new FakeAdapters();
  isIdle = true;
  readonly chunks = new StreamChunks({ adapters: this.adapters, logger: silentLogger, isIdle: () => this.isIdle });

  constructor(t: TestContext) {
    mockTime(t);
  }

  push(text: string, key = "chat"): void {
    this.chunks.push(key, "room", { kind: "stream_chunk", text });
  }
}

describe("StreamChunks", () => {
  it("sends the latest text once a second, the first at once", async (t) => {
    const rig = new Rig(t);
    for (const text of ["a", "ab", "abc"]) rig.push(text);
    await turns();
    t.mock.timers.tick(999);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a"]);
    t.mock.timers.tick(1);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a", "abc"]);
  });

  it("sends ten a second to a page of our own", async (t) => {
    const rig = new Rig(t);
    rig.push("a", "web");
    rig.push("ab", "web");
    await turns();
    t.mock.timers.tick(100);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a", "ab"]);
  });

  it("has one on its way at a time", async (t) => {
    const rig = new Rig(t);
    rig.adapters.answer = undefined;
    rig.push("a");
    rig.push("ab");
    t.mock.timers.tick(5000);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a"]);
    rig.adapters.calls[0]?.reject(new Error("lost"));
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a", "ab"]);
  });

  it("waits until the stream's start was sent", async (t) => {
    const rig = new Rig(t);
    rig.isIdle = false;
    rig.push("a");
    await turns();
    assert.deepEqual(rig.adapters.texts, []);
    rig.isIdle = true;
    t.mock.timers.tick(100);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a"]);
  });

  it("sends nothing after the end, and knows the last text there", async (t) => {
    const rig = new Rig(t);
    rig.push("a");
    rig.push("ab");
    assert.equal(rig.chunks.end("chat", "room"), "ab");
    assert.equal(rig.chunks.end("chat", "room"), "");
    t.mock.timers.tick(5000);
    await turns();
    assert.deepEqual(rig.adapters.texts, ["a"]);
  });

  it("sends none where streams are not shown, or nobody runs", async (t) => {
    const rig = new Rig(t);
    rig.adapters.stopped.add("chat");
    rig.push("a");
    rig.adapters.stopped.clear();
    rig.adapters.capabilitiesOf = { text: "native" };
    rig.push("ab");
    await turns();
    assert.deepEqual(rig.adapters.texts, []);
    assert.equal(rig.chunks.end("chat", "room"), "ab");
  });
});
