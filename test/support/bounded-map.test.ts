import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BoundedMap } from "../../src/support/bounded-map.ts";

describe("BoundedMap", () => {
  it("forgets the longest unused entry when it is full", () => {
    const map = new BoundedMap<number>(2);
    map.set("a", 1);
    map.set("b", 2);
    assert.equal(map.get("a"), 1);
    map.set("c", 3);
    assert.deepEqual(
      [...map.entries()],
      [
        ["a", 1],
        ["c", 3],
      ],
    );
  });

  it("forgets nothing when an entry is replaced", () => {
    const map = new BoundedMap<number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.set("b", 3);
    assert.deepEqual(
      [...map.entries()],
      [
        ["a", 1],
        ["b", 3],
      ],
    );
  });
});
