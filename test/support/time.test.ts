import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as time from "../../src/support/time.ts";
import { mockClocks } from "./mocked-time.ts";

describe("steadyNow()", () => {
  it("is the time of day where nobody has put a clock", () => {
    assert.ok(Math.abs(time.steadyNow() - Date.now()) < 60_000);
  });

  it("goes on where the wall clock is put back", (t) => {
    const before = time.steadyNow();
    t.mock.method(Date, "now", () => 0);
    assert.ok(time.steadyNow() >= before);
  });

  it("is in whole milliseconds", (t) => {
    mockClocks(t, 1_500);
    assert.equal(time.steadyNow(), 1_500);
    t.mock.method(performance, "now", () => 1_500.7 - performance.timeOrigin);
    assert.equal(time.steadyNow(), 1_500);
  });
});

describe("sleep()", () => {
  it("rejects where the signal is aborted already, and throws nothing", async () => {
    const over = new Error("it is over");
    const caught = await time.sleep(60_000, AbortSignal.abort(over)).catch((reason: unknown) => reason);
    assert.equal(caught, over);
  });
});
