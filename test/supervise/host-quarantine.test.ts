import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countSuspectDeath, placementOf, suspicionOf } from "../../src/supervise/host-quarantine.ts";
import { threadSample } from "../support/fake-hosts.ts";

const quarantine = { reason: "…", sinceMs: 0 };
const mebibyte = 1_048_576;

describe("placementOf()", () => {
  it("obeys the isolation, and quarantines only what is left to us", () => {
    assert.equal(placementOf("auto", null), "shared");
    assert.equal(placementOf("auto", quarantine), "own");
    assert.equal(placementOf("process", null), "own");
    assert.equal(placementOf("thread", quarantine), "shared");
  });
});

describe("suspicionOf()", () => {
  it("has none of an adapter that ran normally", () => {
    assert.equal(suspicionOf("running", threadSample(), 256), null);
    assert.equal(suspicionOf("running", null, 256), null);
  });

  it("suspects what was starting, unkillable, near its memory limit or in native code", () => {
    assert.match(suspicionOf("starting", null, 256) ?? "", /starting/u);
    assert.match(suspicionOf("unkillable", null, 256) ?? "", /ended/u);
    const memory = { heapBytes: 220 * mebibyte, externalBytes: 0, arrayBufferBytes: 0 };
    assert.match(suspicionOf("running", threadSample({ memory }), 256) ?? "", /memory/u);
    const native = threadSample({ utilization: 1, cpu: null, memory: null });
    assert.match(suspicionOf("running", native, 256) ?? "", /native/u);
  });
});

describe("countSuspectDeath()", () => {
  it("quarantines at the second death within ten minutes", () => {
    const first = countSuspectDeath([], 0, "it was starting");
    assert.equal(first.quarantine, null);
    const second = countSuspectDeath(first.deathsAtMs, 600_000, "it was starting");
    assert.equal(second.quarantine?.sinceMs, 600_000);
  });

  it("forgets a death after ten minutes", () => {
    const { deathsAtMs, quarantine: verdict } = countSuspectDeath([0], 600_001, "it was starting");
    assert.deepEqual([deathsAtMs, verdict], [[600_001], null]);
  });
});
