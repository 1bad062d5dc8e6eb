import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SendBudget } from "../../../workers/twitch/send-budget.ts";

const windowMs = 30_000;

describe("SendBudget", () => {
  it("never lets more than 20 through in half a minute, nor more than 100 of a moderator's", () => {
    const asking = fc.record({ afterMs: fc.nat(3_000), isModerator: fc.boolean() });
    fc.assert(
      fc.property(fc.array(asking, { maxLength: 400 }), (askings) => {
        const budget = new SendBudget();
        const sent: { readonly atMs: number; readonly isModerator: boolean }[] = [];
        let nowMs = 1_000_000;
        for (const { afterMs, isModerator } of askings) {
          nowMs += afterMs;
          if (budget.take(nowMs, isModerator) === 0) sent.push({ atMs: nowMs, isModerator });
        }
        for (const { atMs, isModerator } of sent) {
          const before = sent.filter((each) => each.atMs <= atMs && atMs - each.atMs < windowMs);
          assert.ok(before.length <= 100);
          // Those of the same moment are in no order.
          if (!isModerator) assert.ok(before.filter((each) => each.atMs < atMs).length < 20);
        }
      }),
    );
  });

  it("says exactly how long to wait", () => {
    const budget = new SendBudget();
    for (let index = 0; index < 20; index += 1) assert.equal(budget.take(index * 100, false), 0);
    const waitMs = budget.take(2_000, false);
    assert.ok(waitMs > 0);
    assert.ok(budget.take(2_000 + waitMs - 1, false) > 0);
    assert.equal(budget.take(2_000 + waitMs, false), 0);
  });

  it("allows in a channel that the bot moderates what is too much elsewhere", () => {
    const budget = new SendBudget();
    for (let index = 0; index < 99; index += 1) assert.equal(budget.take(0, true), 0);
    assert.ok(budget.take(0, false) > 0);
    assert.equal(budget.take(0, true), 0);
    assert.ok(budget.take(0, true) > 0);
  });

  it("waits for a whole window when Twitch says that nothing is left", () => {
    const budget = new SendBudget();
    budget.exhaust(5_000);
    assert.ok(budget.take(5_000 + windowMs, true) > 0);
    assert.equal(budget.take(5_000 + windowMs + 1_000, true), 0);
  });
});
