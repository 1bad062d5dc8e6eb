import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HistoryEntry } from "../../src/contract/control.ts";
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

const redact = (text: string): string => text.replaceAll("s3cret", "[redacted]");

describe("EventFeed", () => {
  it("opens no message while nobody reads", async () => {
    const feed = new EventFeed(new EventRing(), { redact, now: () => 0 });
    feed.message({ ...accepted, payload: Buffer.from("not even JSON") });
  });

  it("gives a reader messages as they come", async () => {
    const feed = new EventFeed(new EventRing(), { redact, now: () => 0 });
    const done = new AbortController();
    const events = feed.read({ afterId: null, signal: done.signal });
    const first = events.next();
    feed.message(accepted);
    const { value } = await first;
    assert.deepEqual([value?.event, value?.data["text"], value?.data["adapter"]], ["message", "hello", "webhook"]);
    await events.return(undefined);
  });

  it("takes secrets out of all it tells", async () => {
    const feed = new EventFeed(new EventRing(), { redact, now: () => 0 });
    const events = feed.read({ afterId: null, signal: new AbortController().signal });
    const sender = { id: "u", name: "s3cret", isBot: false };
    const leaking = { ...stored, text: "the s3cret", sender };
    const first = events.next();
    feed.message({ ...accepted, payload: Buffer.from(JSON.stringify(leaking)) });
    const at = "2026-01-01T00:00:00.000Z";
    feed.state("webhook", { at, generation: 1, state: "backing_off", reason: "crashed", message: "s3cret" });
    feed.conditions([{ code: "config_missing", key: null, message: "s3cret", since: at }]);
    const said = [await first, await events.next(), await events.next()].map(({ value }) => JSON.stringify(value));
    for (const text of said) assert.ok(text.includes("[redacted]") && !text.includes("s3cret"), text);
    assert.equal(JSON.parse(said[0] ?? "").data.text, "the [redacted]");
    await events.return(undefined);
  });

  it("goes on for a minute after the last reader left, so that one that reconnects has missed nothing", async () => {
    let nowMs = 0;
    const feed = new EventFeed(new EventRing(), { redact, now: () => nowMs });
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

  describe("of states", () => {
    const entry = (state: HistoryEntry["state"]): HistoryEntry => {
      return { at: "2026-01-01T00:00:00.000Z", generation: 1, state, reason: "none", message: null };
    };
    /** `KEY STATE OBSERVED_GENERATION` of all that is published by the end of the turn. */
    const published = async (act: (feed: EventFeed) => void | Promise<void>): Promise<readonly string[]> => {
      const said: string[] = [];
      const sink = {
        publish: (_event: string, data: Readonly<Record<string, unknown>>) =>
          said.push(`${String(data["key"])} ${String(data["state"])} ${String(data["observedGeneration"])}`),
        subscribe: () => assert.fail("nobody reads"),
      };
      await act(new EventFeed(sink, { redact, now: () => 0 }));
      await Promise.resolve();
      return said;
    };

    it("says with a state which config the adapter obeys since it entered it", async () => {
      const said = await published((feed) => {
        feed.state("webhook", entry("starting"));
        feed.state("webchat", entry("starting"));
        feed.state("webhook", entry("running"));
        feed.observed("webhook", 1, entry("running"));
      });
      assert.deepEqual(said, ["webhook starting 1", "webchat starting 0", "webhook running 1"]);
    });

    it("says that an adapter obeys a newer config although nothing else of it changed, once a turn", async () => {
      const said = await published(async (feed) => {
        feed.observed("webhook", 2, entry("running"));
        feed.observed("webhook", 3, entry("running"));
        feed.observed("webchat", 3, entry("paused"));
        await Promise.resolve();
        feed.observed("webhook", 4, entry("running"));
      });
      assert.deepEqual(said, ["webhook running 3", "webchat paused 3", "webhook running 4"]);
    });

    it("forgets which config one obeyed that is gone", async () => {
      const said = await published(async (feed) => {
        feed.observed("webhook", 2, entry("running"));
        await Promise.resolve();
        feed.state("webhook", entry("stopped"));
        await Promise.resolve();
        feed.state("webhook", entry("starting"));
      });
      assert.deepEqual(said, ["webhook running 2", "webhook stopped 2", "webhook starting 0"]);
    });
  });

  it("tells conditions only when they differ", async () => {
    const ring = new EventRing();
    const feed = new EventFeed(ring, { redact, now: () => 0 });
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
