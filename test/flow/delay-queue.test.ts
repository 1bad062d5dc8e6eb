import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import * as fc from "fast-check";
import { DelayQueue } from "../../src/flow/delay-queue.ts";

describe("DelayQueue", () => {
  it("hands out what is due, earliest first, whatever the order it came in", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 60 }), (times) => {
        mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
        const out: number[] = [];
        using queue = new DelayQueue<number>({
          now: () => Date.now(),
          due: (items) => {
            for (const item of items) assert.ok(item <= Date.now());
            out.push(...items);
          },
        });
        for (const time of times) queue.push(time, time);
        for (let elapsed = 0; elapsed < 600; elapsed += 50) mock.timers.tick(50);
        mock.timers.reset();
        assert.deepEqual(
          out,
          times.toSorted((left, right) => left - right),
        );
        assert.equal(queue.size, 0);
      }),
    );
  });

  it("uses one timer however many wait", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const started = t.mock.method(globalThis, "setTimeout");
    using queue = new DelayQueue<number>({ now: () => Date.now(), due: () => {} });
    for (let index = 0; index < 1000; index += 1) queue.push(100 + index, index);
    assert.equal(started.mock.callCount(), 1);
  });

  it("hands out nothing after it is disposed", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const due = t.mock.fn();
    const queue = new DelayQueue<number>({ now: () => Date.now(), due });
    queue.push(10, 1);
    queue[Symbol.dispose]();
    t.mock.timers.tick(100);
    assert.equal(due.mock.callCount(), 0);
  });
});
