import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSendRates } from "../../src/supervise/send-rates.ts";

describe("parseSendRates()", () => {
  it("takes what is well-formed", () => {
    const rates = {
      credential: { perSecond: 30, burst: 30 },
      conversations: [{ startsWith: "-", perSecond: 0.3, burst: 20 }],
    };
    assert.deepEqual(parseSendRates({ ...rates, more: 1 }), rates);
  });

  it("lets what is malformed limit nothing, and never lets it stop everything", () => {
    const senseless = [
      null,
      7,
      "x",
      { credential: { perSecond: 0, burst: 1 } },
      { credential: { perSecond: 1, burst: 0 } },
      { credential: { perSecond: Number.NaN, burst: 1 } },
      { credential: { perSecond: -1, burst: 1 }, conversations: "all" },
      {
        conversations: [
          null,
          { startsWith: 1, perSecond: 1, burst: 1 },
          { startsWith: "x".repeat(65), perSecond: 1, burst: 1 },
        ],
      },
    ];
    for (const value of senseless) assert.deepEqual(parseSendRates(value), {}, JSON.stringify(value));
  });

  it("looks at sixteen conversations' rates at most", () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ startsWith: String(index), perSecond: 1, burst: 1 }));
    assert.equal(parseSendRates({ conversations: many }).conversations?.length, 16);
  });
});
