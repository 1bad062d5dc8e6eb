import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { untilAborted } from "../../src/reconcile/until-aborted.ts";

describe("untilAborted()", () => {
  it("settles as the promise does", async () => {
    const { signal } = new AbortController();
    assert.equal(await untilAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(untilAborted(Promise.reject(new Error("no")), signal), /no/u);
  });

  it("rejects with the signal's reason, aborted before or later", async () => {
    const never = new Promise<never>(() => {});
    await assert.rejects(untilAborted(never, AbortSignal.abort(new Error("before"))), /before/u);
    const controller = new AbortController();
    const waiting = untilAborted(never, controller.signal);
    controller.abort(new Error("later"));
    await assert.rejects(waiting, /later/u);
  });
});
