import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Slots } from "../../src/support/slots.ts";

describe("Slots", () => {
  it("has what a Map has that was told the same, under ids that never come again", () => {
    const steps = fc.array(fc.oneof(fc.constant("add" as const), fc.nat()), { maxLength: 300 });
    fc.assert(
      fc.property(steps, (all) => {
        const slots = new Slots<string>();
        const model = new Map<number, string>();
        const ids: number[] = [];
        for (const [index, step] of all.entries()) {
          if (step === "add") {
            const id = slots.add(`value ${index}`);
            assert.ok(!ids.includes(id));
            ids.push(id);
            model.set(id, `value ${index}`);
          } else if (ids.length > 0) {
            const id = ids[step % ids.length] ?? 0;
            slots.delete(id);
            model.delete(id);
          }
        }
        for (const id of ids) assert.equal(slots.get(id), model.get(id));
        assert.equal(slots.size, model.size);
        assert.deepEqual([...slots.values()].toSorted(), [...model.values()].toSorted());
      }),
    );
  });

  it("does not find what it never had", () => {
    const slots = new Slots<string>();
    slots.delete(slots.add("a"));
    assert.equal(slots.get(0), undefined);
    assert.equal(slots.get(7), undefined);
  });

  it("refuses more than it has room for", () => {
    const slots = new Slots<number>();
    const ids = Array.from({ length: 65_536 }, (_, index) => slots.add(index));
    assert.throws(() => slots.add(1), RangeError);
    slots.delete(ids[3] ?? 0);
    assert.equal(slots.get(slots.add(7)), 7);
  });
});
