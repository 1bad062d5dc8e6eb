import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { laneOf, TextIndex } from "../../workers/journal-text-index.ts";

type Step = { readonly text: string; readonly isAdded: boolean };

describe("TextIndex", () => {
  it("finds what a map finds, through any adding and deleting", () => {
    const step = fc.record({ text: fc.string({ maxLength: 3 }), isAdded: fc.boolean() });
    fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => check(steps)));
  });

  it("finds everything after it has grown, and nothing of what was deleted", () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `m${index}`);
    const index = new TextIndex((text, seq) => texts[seq - 1] === text);
    for (const [place, text] of texts.entries()) index.add(text, place + 1);
    assert.equal(index.size, 20_000);
    for (const [place, text] of texts.entries()) if (place % 3 === 0) index.delete(text, place + 1);
    for (const [place, text] of texts.entries()) assert.equal(index.find(text), place % 3 === 0 ? 0 : place + 1, text);
  });

  it("tells texts of the same hash apart by asking", () => {
    // The same 32 bits in all three: found by trying texts until two of them met.
    const [first, second] = collidingPair();
    const rows = new Map([[1, first]]);
    const index = new TextIndex((text, seq) => rows.get(seq) === text);
    index.add(first, 1);
    assert.equal(index.find(second), 0);
    rows.set(2, second);
    index.add(second, 2);
    index.delete(first, 1);
    assert.equal(index.find(first), 0);
    assert.equal(index.find(second), 2);
  });
});

function check(steps: readonly Step[]): void {
  const rows = new Map<number, string>();
  const model = new Map<string, number>();
  const index = new TextIndex((text, seq) => rows.get(seq) === text);
  for (const [place, { text, isAdded }] of steps.entries()) {
    const seq = model.get(text);
    assert.equal(index.find(text), seq ?? 0);
    if (isAdded && seq === undefined) {
      rows.set(place + 1, text);
      model.set(text, place + 1);
      index.add(text, place + 1);
    } else if (!isAdded && seq !== undefined) {
      model.delete(text);
      index.delete(text, seq);
    }
    assert.equal(index.size, model.size);
  }
}

function collidingPair(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let number = 0; ; number += 1) {
    const text = `k/${number}`;
    const hash = laneOf("k", String(number));
    const other = seen.get(hash);
    if (other !== undefined) return [other, text];
    seen.set(hash, text);
  }
}
