import { describe, it } from "node:test";
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { EventRing } from "../../src/admin/event-ring.ts";
import type { GatewayEvent } from "../../src/contract/control.ts";

async function take(events: AsyncGenerator<GatewayEvent>, count: number): Promise<readonly number[]> {
  const ids: number[] = [];
  while (ids.length < count) {
    const next = await events.next();
    if (next.done === true) break;
    ids.push(next.value.id);
  }
  return ids;
}

function filled(count: number, capacity: number): EventRing {
  const ring = new EventRing(capacity);
  for (let index = 0; index < count; index += 1) ring.publish("log", { index });
  return ring;
}

describe("EventRing", () => {
  it("gives a new reader only what comes after it subscribed", async () => {
    const ring = filled(3, 10);
    const { signal } = new AbortController();
    const events = ring.subscribe({ afterId: null, signal });
    ring.publish("state", { key: "webhook" });
    assert.deepEqual((await events.next()).value, { id: 4, event: "state", data: { key: "webhook" } });
  });

  it("resumes after the id a reader had seen", async () => {
    const { signal } = new AbortController();
    assert.deepEqual(await take(filled(5, 10).subscribe({ afterId: 2, signal }), 3), [3, 4, 5]);
  });

  it("wakes a waiting reader", async () => {
    const ring = new EventRing();
    const { signal } = new AbortController();
    const next = ring.subscribe({ afterId: null, signal }).next();
    ring.publish("message", {});
    assert.equal((await next).value?.id, 1);
  });

  it("gives a reader from an earlier life of the gateway everything it keeps", async () => {
    const { signal } = new AbortController();
    assert.deepEqual(await take(filled(2, 10).subscribe({ afterId: 900, signal }), 2), [1, 2]);
  });

  it("makes a slow reader lose the oldest events", async () => {
    const ring = filled(0, 10);
    const { signal } = new AbortController();
    const events = ring.subscribe({ afterId: null, signal });
    for (let index = 0; index < 25; index += 1) ring.publish("log", {});
    assert.deepEqual(await take(events, 10), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
  });

  it("ends a waiting reader at its signal, without an error", async () => {
    const controller = new AbortController();
    const next = new EventRing().subscribe({ afterId: null, signal: controller.signal }).next();
    controller.abort();
    assert.deepEqual(await next, { done: true, value: undefined });
  });

  it("gives every reader rising ids of what is kept, however many were published", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(60), fc.integer({ min: 1, max: 20 }), fc.nat(70), async (count, capacity, afterId) => {
        const { signal } = new AbortController();
        const events = filled(count, capacity).subscribe({ afterId, signal });
        const first = Math.max(afterId > count ? 0 : afterId, count - capacity) + 1;
        const expected = Array.from({ length: Math.max(0, count - first + 1) }, (_, index) => first + index);
        assert.deepEqual(await take(events, expected.length), expected);
      }),
      { numRuns: 200 },
    ));
});
