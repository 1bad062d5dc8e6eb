import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Outcomes } from "../../src/reconcile/outcomes.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { ModelFleet } from "./model-fleet.ts";

describe("Outcomes", () => {
  it("knows a change until it has settled", async () => {
    const { outcomes, fleet } = build();
    const outcome = outcomes.watch("webhook", 1);
    assert.equal(outcomes.underWay("webhook"), outcome);
    fleet.settling.get("webhook")?.resolve("done");
    assert.equal(await outcome, "done");
    assert.equal(outcomes.underWay("webhook"), null);
  });

  it("reports a failed change once, by name", async () => {
    const { outcomes, fleet, logger } = build();
    const outcome = outcomes.watch("webhook", 3);
    fleet.settling.get("webhook")?.resolve("failed");
    assert.equal(await outcome, "failed");
    assert.deepEqual(logger.records, [
      { level: "warn", event: "reconcile-outcome-failed", fields: { key: "webhook", configGeneration: 3 } },
    ]);
  });

  it("gives an older change up for a newer one of the same key", async () => {
    const { outcomes, logger } = build();
    const older = outcomes.watch("webhook", 1);
    const newer = outcomes.watch("webhook", 2);
    await assert.rejects(older, /a newer change of "webhook"/u);
    assert.equal(outcomes.underWay("webhook"), newer);
    assert.deepEqual(logger.records, []);
    outcomes[Symbol.dispose]();
    await assert.rejects(newer, /shutting down/u);
  });

  it("says so when the fleet cannot tell", async () => {
    const { outcomes, fleet, logger } = build();
    const outcome = outcomes.watch("webhook", 1);
    fleet.settling.get("webhook")?.reject(new Error("lost"));
    await assert.rejects(outcome, /lost/u);
    assert.equal(logger.records[0]?.event, "outcome-unknown");
  });
});

function build() {
  const fleet = new ModelFleet();
  fleet.slow.add("webhook");
  const logger = new RecordingLogger();
  return { fleet, logger, outcomes: new Outcomes(fleet, logger) };
}
