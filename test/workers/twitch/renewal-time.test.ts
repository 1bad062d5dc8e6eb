import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextLookMs, renewalTime } from "../../../workers/twitch/renewal-time.ts";

describe("renewalTime()", () => {
  it("is when four fifths of a token's life are over", () => {
    assert.equal(renewalTime(14_400_000, 1_000), 1_000 + 11_520_000);
    assert.equal(renewalTime(-5, 1_000), 1_000);
  });
});

describe("nextLookMs()", () => {
  const nowMs = 1_000_000;
  const look = (renewAtMs: number | null, failures = 0): number => nextLookMs({ renewAtMs, nowMs, failures });

  it("is when the token is due, and an hour later at the latest", () => {
    assert.equal(look(nowMs + 60_000), 60_000);
    assert.equal(look(nowMs + 90_000_000), 3_600_000);
    assert.equal(look(null), 3_600_000);
  });

  it("is never at once, however late it is", () => {
    assert.equal(look(nowMs - 5_000), 1_000);
  });

  it("is later and later while it comes to nothing", () => {
    const delays = [1, 2, 3, 7, 50].map((failures) => look(nowMs - 5_000, failures));
    assert.deepEqual(delays, [10_000, 20_000, 40_000, 600_000, 600_000]);
  });
});
