import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { Fifo } from "../../src/flow/fifo.ts";

describe("Fifo", () => {
  it("gives back what was pushed, in order, whatever is pushed and taken in between", () => {
    const step = fc.record({ push: fc.nat({ max: 3000 }), shift: fc.nat({ max: 3000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const fifo = new Fifo<number>();
        let pushed = 0;
        let taken = 0;
        for (const { push, shift } of steps) {
          for (let count = 0; count < push; count += 1) fifo.push(pushed++);
          for (let count = 0; count < shift && taken < pushed; count += 1) {
            assert.equal(fifo.peek(), taken);
            assert.equal(fifo.shift(), taken++);
          }
          assert.equal(fifo.size, pushed - taken);
        }
        if (taken === pushed) assert.equal(fifo.shift(), undefined);
      }),
    );
  });
});
