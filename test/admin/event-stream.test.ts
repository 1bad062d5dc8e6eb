import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { eventFrames } from "../../src/admin/event-stream.ts";
import { createMetrics } from "../../src/admin/metrics.ts";
import { startAdminServer, type AdminLimits, type AdminServer } from "../../src/admin/server.ts";
import { EventRing } from "../../src/admin/event-ring.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { FakeControl } from "../support/fake-control.ts";

const token = "t".repeat(43);

function start(control: FakeControl, limits: Partial<AdminLimits> = {}): Promise<AdminServer> {
  return startAdminServer({
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    token,
    control,
    logger: silentLogger,
    metrics: createMetrics(control),
    limits,
  });
}

async function open(server: AdminServer, headers: Record<string, string> = {}) {
  const answer = await fetch(`${server.url}/v1/events`, { headers: { authorization: `Bearer ${token}`, ...headers } });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.ok(reader);
  let seen = "";
  return {
    answer,
    /** Reads on until `text` has come. */
    async until(text: string): Promise<string> {
      while (!seen.includes(text)) {
        const { value, done } = await reader.read();
        assert.equal(done, false);
        seen += value ?? "";
      }
      return seen;
    },
    leave: () => reader.cancel(),
  };
}

describe("GET /v1/events", () => {
  it("streams events as they come", async () => {
    const control = new FakeControl();
    await using server = await start(control);
    const stream = await open(server);
    assert.equal(stream.answer.headers.get("content-type"), "text/event-stream");
    await stream.until("retry: 1000\n\n");
    control.ring.publish("state", { key: "webhook", state: "running" });
    await stream.until('id: 1\nevent: state\ndata: {"key":"webhook","state":"running"}\n\n');
    control.ring.publish("message", { text: "two\nlines" });
    await stream.until('id: 2\nevent: message\ndata: {"text":"two\\nlines"}\n\n');
    await stream.leave();
  });

  it("resumes after Last-Event-ID and takes no notice of one that is no number", async () => {
    const control = new FakeControl();
    await using server = await start(control);
    for (const count of [1, 2, 3]) control.ring.publish("log", { count });
    const resumed = await open(server, { "last-event-id": "2" });
    assert.equal((await resumed.until('{"count":3}')).includes('{"count":2}'), false);
    await resumed.leave();
    const fresh = await open(server, { "last-event-id": "x" });
    await fresh.until("retry");
    assert.deepEqual(control.calls, [
      ["events", 2],
      ["events", null],
    ]);
    await fresh.leave();
  });

  it("sends a comment when nothing happens", async () => {
    await using server = await start(new FakeControl(), { heartbeatMs: 5 });
    const stream = await open(server);
    await stream.until(": heartbeat\n\n");
    await stream.leave();
  });

  it("lets a bounded number of readers in, and the next one when one has left", async () => {
    const control = new FakeControl();
    await using server = await start(control, { maxEventStreams: 1, heartbeatMs: 5 });
    const first = await open(server);
    await first.until("retry");
    assert.equal((await open(server)).answer.status, 429);
    await first.leave();
    // The server notices at its next write at the latest; every refused try is an answer of it.
    let status = 429;
    while (status === 429) {
      const next = await open(server);
      status = next.answer.status;
      await next.leave();
    }
    assert.equal(status, 200);
  });
});

describe("eventFrames()", () => {
  it("ends without an error at its signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const frames = eventFrames(new EventRing().subscribe({ afterId: null, signal }), { heartbeatMs: 60_000, signal });
    await frames.next();
    const next = frames.next();
    controller.abort();
    assert.deepEqual(await next, { done: true, value: undefined });
  });

  it("passes on an error of the events", async () => {
    const { signal } = new AbortController();
    const broken = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("no more events")) }) };
    const frames = eventFrames(broken, { heartbeatMs: 60_000, signal });
    await frames.next();
    await assert.rejects(frames.next(), { message: "no more events" });
  });
});
