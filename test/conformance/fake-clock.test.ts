import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { after } from "../../src/support/time.ts";
import { FakeClock } from "./fake-clock.ts";
import { within } from "./within.ts";

describe("FakeClock", () => {
  it("fires what is due, in order, and no more", async () => {
    await using clock = new FakeClock();
    const fired: string[] = [];
    for (const delayMs of [3_000, 1_000, 90_000]) after(delayMs, () => fired.push(`${delayMs} ms`));
    await clock.advance(60);
    assert.deepEqual(fired, ["1000 ms", "3000 ms"]);
  });

  it("lets what nobody waits for pass at once", { timeout: 20_000 }, async () => {
    await using clock = new FakeClock();
    const beforeMs = Date.now();
    await clock.advance(24 * 3_600);
    assert.ok(Date.now() - beforeMs >= 86_400_000);
  });

  it("hurries until a promise settles, and says what never came", async () => {
    await using clock = FakeClock.gentle();
    const waited = Promise.withResolvers<string>();
    after(5_000, () => waited.resolve("here"));
    assert.equal(await clock.hurry(waited.promise, 10, "it"), "here");
    await assert.rejects(clock.hurry(new Promise(() => {}), 3, "the rest"), /the rest has not come after 3 s/u);
  });

  it("leaves what still waits to the machine's own time", async () => {
    const fired = Promise.withResolvers<void>();
    const cleared: string[] = [];
    const clock = new FakeClock();
    after(50, fired.resolve);
    const timer = after(40, () => cleared.push("cleared"));
    await clock[Symbol.asyncDispose]();
    timer[Symbol.dispose]();
    await within(fired.promise, "a timer of a clock that is over");
    assert.deepEqual(cleared, []);
  });

  it("has none beside it", async () => {
    await using _clock = new FakeClock();
    assert.throws(() => new FakeClock(), TypeError);
  });
});
