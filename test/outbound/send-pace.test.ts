import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { SendPace } from "../../src/outbound/send-pace.ts";

describe("SendPace", () => {
  it("limits nothing that no rate was declared for", () => {
    const pace = new SendPace();
    pace.apply({ conversations: [{ startsWith: "-", perSecond: 1, burst: 1 }] });
    for (let send = 0; send < 100; send += 1) assert.equal(pace.waitMs(0) + pace.take("7", 0), 0);
  });

  it("keeps the first rate that fits a conversation's name", () => {
    const pace = new SendPace();
    pace.apply({
      conversations: [
        { startsWith: "-", perSecond: 0.5, burst: 1 },
        { startsWith: "", perSecond: 2, burst: 1 },
      ],
    });
    const waits = ["-100", "-100", "7", "7"].map((conversation) => pace.take(conversation, 0));
    assert.deepEqual(waits, [0, 2_000, 0, 500]);
  });

  it("gives no new burst to a new life with the same rates", () => {
    const pace = new SendPace();
    const rates = { credential: { perSecond: 1, burst: 1 } };
    pace.apply(rates);
    pace.take("a", 0);
    pace.apply(structuredClone(rates));
    assert.equal(pace.waitMs(0), 1_000);
  });

  it("lets others go on while a server holds one conversation, and none while it holds two", () => {
    const pace = new SendPace();
    pace.limited("a", 5_000, 0);
    assert.equal(pace.waitMs(0), 0);
    pace.limited("a", 6_000, 100);
    assert.equal(pace.waitMs(100), 0, "the same one again is no second one");
    pace.limited("b", 3_000, 200);
    assert.equal(pace.waitMs(200), 5_800);
    assert.equal(pace.waitMs(6_000), 0);
    pace.limited("c", 9_000, 7_000);
    assert.equal(pace.waitMs(7_000), 0, "what is over does not count");
  });

  it("never exceeds burst plus rate times time, of the credential nor of any conversation", () => {
    const rate = fc.record({ perSecond: fc.integer({ min: 1, max: 20 }), burst: fc.integer({ min: 1, max: 10 }) });
    const steps = fc.array(
      fc.record({ name: fc.constantFrom("a", "b", "c"), gapMs: fc.integer({ min: 0, max: 400 }) }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(rate, rate, steps, (credential, each, tries) => {
        const pace = new SendPace();
        pace.apply({ credential, conversations: [{ startsWith: "", ...each }] });
        const sent = new Map<string, number>();
        let nowMs = 0;
        for (const { name, gapMs } of tries) {
          nowMs += gapMs;
          if (pace.waitMs(nowMs) > 0 || pace.take(name, nowMs) > 0) continue;
          sent.set(name, (sent.get(name) ?? 0) + 1);
          const total = [...sent.values()].reduce((sum, count) => sum + count, 0);
          assert.ok(total <= credential.burst + (credential.perSecond * nowMs) / 1000 + 1e-6);
          assert.ok((sent.get(name) ?? 0) <= each.burst + (each.perSecond * nowMs) / 1000 + 1e-6);
        }
      }),
    );
  });
});
