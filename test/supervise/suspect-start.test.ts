import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StartSlots } from "../../src/supervise/start-slots.ts";
import { SuspectStart, suspectTurnMs } from "../../src/supervise/suspect-start.ts";

const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start(slotCount = 4) {
  const turns = new StartSlots(1);
  const slots = new StartSlots(slotCount);
  const order: string[] = [];
  const begin = (name: string, stop: AbortSignal = signal): SuspectStart => {
    const suspect = new SuspectStart({ turns, slots });
    suspect.acquire(stop).then(
      () => order.push(name),
      () => order.push(`${name} gave up`),
    );
    return suspect;
  };
  return { turns, slots, order, begin };
}

describe("SuspectStart", () => {
  it("lets one suspect start at a time, the next one when it is over", async () => {
    const { order, begin } = start();
    using first = begin("first");
    using _second = begin("second");
    await turn();
    assert.deepEqual(order, ["first"]);
    first[Symbol.dispose]();
    await turn();
    assert.deepEqual(order, ["first", "second"]);
  });

  it("goes on with the next one when a start takes long", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { order, begin } = start();
    using _first = begin("first");
    using _second = begin("second");
    using _third = begin("third");
    await turn();
    t.mock.timers.tick(suspectTurnMs - 1);
    await turn();
    assert.deepEqual(order, ["first"]);
    t.mock.timers.tick(1);
    await turn();
    assert.deepEqual(order, ["first", "second"], "each has the whole time");
  });

  it("gives one whose host has to wait its whole turn after that", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { order, begin } = start();
    using first = begin("first");
    using _second = begin("second");
    await turn();
    first.extend(16_000);
    t.mock.timers.tick(16_000 + suspectTurnMs - 1);
    await turn();
    assert.deepEqual(order, ["first"]);
    t.mock.timers.tick(1);
    await turn();
    assert.deepEqual(order, ["first", "second"]);
  });

  it("waits for a slot too, and keeps the turn from nobody when it is no longer wanted", async () => {
    const { slots, order, begin } = start(1);
    using _held = await slots.acquire(signal);
    const stop = new AbortController();
    using _first = begin("first", stop.signal);
    using _second = begin("second", stop.signal);
    await turn();
    assert.deepEqual(order, []);
    stop.abort(new Error("no longer wanted"));
    await turn();
    assert.deepEqual(new Set(order), new Set(["first gave up", "second gave up"]));
    _held[Symbol.dispose]();
    using _third = begin("third");
    await turn();
    assert.equal(order.at(-1), "third");
  });
});
