import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { failure } from "../../src/supervise/failure.ts";
import { backoffCapMs, cleanStreak, healthyStreak, restartDelay } from "../../src/supervise/restart-policy.ts";
import { supervisorDefaults as settings } from "../support/config-fixture.ts";

const crashed = failure("crashed", null);

function delays(count: number, everyMs: number, random: () => number): readonly number[] {
  let streak = cleanStreak;
  return Array.from({ length: count }, (_, index) => {
    const plan = restartDelay(streak, crashed, { settings, nowMs: index * everyMs, random });
    streak = plan.streak;
    return plan.delayMs;
  });
}

describe("restartDelay()", () => {
  it("doubles its cap from the least to the most", () => {
    assert.deepEqual(
      delays(8, 300_000, () => 1),
      [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000],
    );
  });

  it("never waits less than the least", () => {
    assert.deepEqual(
      delays(4, 300_000, () => 0),
      [1000, 1000, 1000, 1000],
    );
  });

  it("draws from the whole range below the cap", () => {
    assert.deepEqual(
      delays(4, 300_000, () => 0.5),
      [1000, 1000, 2000, 4000],
    );
  });

  it("goes over to slow retries at the fifth failure in ten minutes, and stays there", () => {
    const plans = delays(7, 60_000, () => 1);
    assert.deepEqual(plans.slice(3), [8000, 300_000, 300_000, 300_000]);
  });

  it("restarts at once after a long healthy run, once", () => {
    const options = { settings, nowMs: 0, random: () => 1 };
    const first = restartDelay(healthyStreak, crashed, options);
    assert.equal(first.delayMs, 0);
    assert.equal(restartDelay(first.streak, crashed, options).delayMs, 2000);
  });

  it("takes the server's retry-after as the lower bound, also after a healthy run", () => {
    const limited = failure("rate_limited", null, { retryAfterMs: 7000 });
    const options = { settings, nowMs: 0, random: () => 1 };
    assert.equal(restartDelay(healthyStreak, limited, options).delayMs, 7000);
    assert.equal(restartDelay({ ...cleanStreak, attempt: 6 }, limited, options).delayMs, 60_000);
  });

  for (const reason of ["bad_credentials", "forbidden", "spec_invalid"] as const) {
    it(`waits for a person after ${reason}`, () => {
      const plan = restartDelay(healthyStreak, failure(reason, null), { settings, nowMs: 0, random: () => 0 });
      assert.deepEqual([plan.needsAttention, plan.delayMs], [true, 900_000]);
    });
  }

  it("keeps within the cap of its streak, whose cap never falls, whatever the draws and times are", () => {
    const step = fc.record({
      afterMs: fc.nat({ max: 1_000_000 }),
      draw: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        let streak = cleanStreak;
        let nowMs = 0;
        let lastCapMs = 0;
        let wasSlow = false;
        for (const [index, { afterMs, draw }] of steps.entries()) {
          nowMs += afterMs;
          const plan = restartDelay(streak, crashed, { settings, nowMs, random: () => draw });
          streak = plan.streak;
          assert.equal(streak.attempt, index + 1, "only a long healthy run forgives");
          assert.ok(streak.isSlow || !wasSlow, "slow stays slow");
          wasSlow = streak.isSlow;
          const capMs = streak.isSlow ? settings.slowRetryMs : backoffCapMs(streak.attempt, settings);
          assert.ok(capMs >= lastCapMs);
          lastCapMs = capMs;
          assert.ok(plan.delayMs >= settings.backoffMinMs && plan.delayMs <= capMs);
          assert.ok(streak.failuresAtMs.length <= settings.slowRetryFailures);
        }
      }),
    );
  });
});
