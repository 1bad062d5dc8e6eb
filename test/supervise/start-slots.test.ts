import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StartSlots } from "../../src/supervise/start-slots.ts";

const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("StartSlots", () => {
  it("makes the fifth wait until one of four is given back, first come, first served", async () => {
    const slots = new StartSlots();
    const held = await Promise.all(Array.from({ length: 4 }, () => slots.acquire(signal)));
    const order: string[] = [];
    const fifth = slots.acquire(signal).then(() => order.push("fifth"));
    const sixth = slots.acquire(signal).then(() => order.push("sixth"));
    await turn();
    assert.deepEqual(order, []);
    held[0]?.[Symbol.dispose]();
    held[0]?.[Symbol.dispose]();
    await fifth;
    await turn();
    assert.deepEqual(order, ["fifth"], "giving back twice frees one slot");
    held[1]?.[Symbol.dispose]();
    await sixth;
  });

  it("lets go of who no longer waits", async () => {
    const slots = new StartSlots(1);
    const held = await slots.acquire(signal);
    const stop = new AbortController();
    const cancelled = slots.acquire(stop.signal);
    const next = slots.acquire(signal);
    stop.abort(new Error("no longer wanted"));
    await assert.rejects(cancelled, /no longer wanted/u);
    held[Symbol.dispose]();
    (await next)[Symbol.dispose]();
    await slots.acquire(signal);
  });

  it("loses no slot when it is handed over to one that gives up in the same tick", async () => {
    const slots = new StartSlots(1);
    const held = await slots.acquire(signal);
    const stop = new AbortController();
    const late = slots.acquire(stop.signal);
    held[Symbol.dispose]();
    stop.abort(new Error("too late"));
    await assert.rejects(late, /too late/u);
    await slots.acquire(signal);
  });
});
