import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Convergence } from "../../src/supervise/convergence.ts";

const { signal } = new AbortController();

describe("Convergence", () => {
  it("settles whoever waits for this config or an older one, and nobody who waits for a newer one", async () => {
    const convergence = new Convergence();
    const outcomes: string[] = [];
    for (const wanted of [1, 2, 3])
      void convergence.settled(wanted, signal).then((outcome) => outcomes.push(`${wanted} ${outcome}`));
    convergence.desire(2);
    convergence.observe("pending");
    assert.equal(convergence.observedGeneration, 0);
    convergence.observe("done");
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(outcomes, ["1 done", "2 done"]);
    assert.equal(convergence.observedGeneration, 2);
  });

  it("observes no config that has failed", () => {
    const convergence = new Convergence();
    convergence.desire(4);
    convergence.observe("failed");
    assert.deepEqual([convergence.desiredGeneration, convergence.observedGeneration], [4, 0]);
  });

  it("never goes back to an older config", () => {
    const convergence = new Convergence();
    convergence.desire(4);
    convergence.desire(3);
    assert.equal(convergence.desiredGeneration, 4);
  });
});
