import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError, type ErrorCode } from "../../../src/contract/errors.ts";
import { afterPollFailure, conflictError, isWebhookConflict } from "../../../workers/telegram/poll-recovery.ts";

const rateLimited = (delayMs: number): GatewayError =>
  new GatewayError("rate_limited", "x", { retry: { kind: "after", delayMs } });

describe("afterPollFailure()", () => {
  it("tries an outage again with growing pauses, and no more than five times", () => {
    const error = new GatewayError("platform_unavailable", "x");
    const pauses = [1, 2, 3, 4, 5, 6].map((count) => afterPollFailure(error, { count, conflicts: 0 }));
    assert.deepEqual(
      pauses.map((next) => (next.kind === "wait" ? next.delayMs : null)),
      [1_000, 2_000, 4_000, 8_000, 16_000, null],
    );
  });

  it("waits more than one window for another poller, once", () => {
    const error = new GatewayError("conflict", "terminated by other getUpdates request");
    const first = afterPollFailure(error, { count: 1, conflicts: 1 });
    assert.ok(first.kind === "wait" && first.delayMs > 10_000);
    assert.equal(afterPollFailure(error, { count: 1, conflicts: 2 }).kind, "end");
  });

  it("keeps a wait that Telegram asks for, and leaves a long one to the supervisor", () => {
    assert.deepEqual(afterPollFailure(rateLimited(7_000), { count: 1, conflicts: 0 }), {
      kind: "wait",
      delayMs: 7_000,
    });
    assert.equal(afterPollFailure(rateLimited(300_000), { count: 1, conflicts: 0 }).kind, "end");
  });

  for (const code of ["unauthorized", "forbidden", "message_rejected", "internal"] as const satisfies ErrorCode[])
    it(`ends at once with ${code}`, () => {
      assert.equal(afterPollFailure(new GatewayError(code, "x"), { count: 1, conflicts: 0 }).kind, "end");
    });
});

describe("conflictError()", () => {
  it("tells a webhook from a poller", () => {
    const webhook = new GatewayError("conflict", "can't use getUpdates method while webhook is active");
    assert.ok(isWebhookConflict(webhook));
    assert.match(conflictError(webhook).message, /webhook/u);
    const error = conflictError(new GatewayError("conflict", "x"));
    assert.match(error.message, /another poller/u);
    assert.equal(error.retry.kind, "after");
    assert.ok(error.userAction !== null);
  });
});
