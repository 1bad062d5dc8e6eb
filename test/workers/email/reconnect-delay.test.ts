import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { afterLoss } from "../../../workers/email/reconnect-delay.ts";

const cut = new GatewayError("platform_unavailable", "cut");

describe("afterLoss()", () => {
  it("tries soon, then less and less often, and leaves the rest to the supervisor", () => {
    const steps = [1, 2, 3, 4, 5, 6, 7].map((losses) => afterLoss(cut, losses, 0));
    assert.deepEqual(
      steps.map((step) => (step.kind === "retry" ? step.delayMs : step.kind)),
      [250, 1_000, 2_000, 4_000, 8_000, 16_000, "end"],
    );
  });

  it("spreads the tries", () => {
    assert.deepEqual(afterLoss(cut, 2, 1), { kind: "retry", delayMs: 1_500 });
  });

  it("does not try what trying cannot mend", () => {
    assert.deepEqual(afterLoss(new GatewayError("unauthorized", "no"), 1, 0), { kind: "end" });
  });

  it("keeps a short wait that the server asks for, and hands over a long one", () => {
    const asked = (delayMs: number): GatewayError =>
      new GatewayError("rate_limited", "slow down", { retry: { kind: "after", delayMs } });
    assert.deepEqual(afterLoss(asked(5_000), 1, 0), { kind: "retry", delayMs: 5_000 });
    assert.deepEqual(afterLoss(asked(120_000), 1, 0), { kind: "end" });
  });
});
