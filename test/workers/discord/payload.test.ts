import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  childrenOf,
  idOf,
  isNewer,
  payloadOf,
  snowflakeAt,
  snowflakeTimeMs,
} from "../../../workers/discord/payload.ts";

describe("isNewer()", () => {
  it("orders ids as the numbers that they are", () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String);
    fc.assert(fc.property(id, id, (left, right) => isNewer(left, right) === BigInt(left) > BigInt(right)));
  });
});

describe("snowflakeAt()", () => {
  it("is before everything made since, and after what was made before", () => {
    const nowMs = Date.UTC(2026, 5, 1);
    assert.equal(snowflakeTimeMs(snowflakeAt(nowMs)), nowMs);
    assert.ok(isNewer(snowflakeAt(nowMs + 1), snowflakeAt(nowMs)));
    assert.equal(snowflakeAt(0), "0");
  });
});

describe("reading a payload", () => {
  it("takes what is not as it should be for absent", () => {
    for (const value of [null, 5, "x", [], undefined]) assert.equal(payloadOf(value), null);
    assert.equal(idOf({ id: 5 }, "id"), null);
    assert.equal(idOf({ id: "5x" }, "id"), null);
    assert.deepEqual(childrenOf({ list: [null, 1, { a: 1 }, []] }, "list"), [{ a: 1 }]);
  });
});
