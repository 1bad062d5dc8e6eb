import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventRing } from "../../src/admin/event-ring.ts";
import { EventFeed } from "../../src/gateway/event-feed.ts";

const stored = {
  id: "m1",
  conversation: "c",
  sender: { id: "u", name: "u", isBot: false },
  kind: "text",
  text: "hello",
  timestamp: "2026-01-01T00:00:00.000Z",
};
const accepted = { key: "webhook", consumer: "main", payload: Buffer.from(JSON.stringify(stored)), atMs: 0 };

describe("EventFeed", () => {
  it("opens no message while nobody reads", async () => {
    const feed = new EventFeed(new EventRing(), () => 0);
    feed.message({ ...accepted, payload: Buffer.from("not even JSON") });
  });

  it("gives a reader messages as they come", async () => {
    const feed = new EventFeed(new EventRing(), () => 0);
    const done = new AbortController();
    const events = feed.read({ afterId: null, signal: done.signal });
    const first = events.next();
    feed.message(accepted);
    const { value } = await first;
    assert.deepEqual([value?.event, value?.data["text"], value?.data["adapter"]], ["message", "hello", "webhook"]);
    await events.return(undefined);
  });

  it("goes on for a minute after the last reader left, so that one that reconnects has missed nothing", async () => {
    let nowMs = 0;
    const feed = new EventFeed(new EventRing(), () => nowMs);
    const before = feed.read({ afterId: null, signal: new AbortController().signal });
    const opened = before.next();
    feed.message(accepted);
    await opened;
    await before.return(undefined);
    nowMs = 59_000;
    feed.message({ ...accepted, key: "webchat" });
    const again = feed.read({ afterId: 1, signal: new AbortController().signal });
    assert.equal((await again.next()).value?.data["adapter"], "webchat");
    await again.return(undefined);
  });

  it("tells conditions only when they differ", async () => {
    const ring = new EventRing();
    const feed = new EventFeed(ring, () => 0);
    const condition = {
      code: "config_missing",
      key: null,
      message: "gone",
      since: "2026-01-01T00:00:00.000Z",
    } as const;
    for (const conditions of [[], [condition], [condition], []]) feed.conditions(conditions);
    const events = feed.read({ afterId: 0, signal: new AbortController().signal });
    const lengths: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { value } = await events.next();
      lengths.push((value?.data["conditions"] as unknown[] | undefined)?.length ?? -1);
    }
    assert.deepEqual(lengths, [0, 1, 0]);
    await events.return(undefined);
  });
});
