import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Condition } from "../../src/contract/status.ts";
import { Conditions } from "../../src/reconcile/conditions.ts";
import type { PlannedAction } from "../../src/reconcile/plan.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

const invalidSlack: PlannedAction = {
  kind: "adapter",
  key: "slack",
  action: "invalid",
  reason: "messaging.slack.bot_token: missing",
  fields: [],
  spec: null,
  invalid: null,
};

describe("Conditions", () => {
  it("follows from its causes, each with its key", () => {
    const { conditions } = build();
    conditions.update({
      refused: [{ path: "gateway.port", message: "unknown key", line: 2 }],
      actions: [invalidSlack],
      skippedBindings: [{ path: "bindings[0]", message: "no such adapter", line: 4 }],
      restartKeys: ["hosts.mode"],
    });
    assert.deepEqual(
      conditions.list.map(({ code, key, message }) => [code, key, message]),
      [
        ["config_invalid", null, "gateway.port: unknown key (line 2)"],
        ["spec_invalid", "slack", "messaging.slack.bot_token: missing"],
        ["binding_skipped", null, "bindings[0]: no such adapter"],
        ["restart_required", null, "Restart the gateway to apply hosts.mode"],
      ],
    );
    conditions.update({ refused: [], isMissing: true });
    assert.equal(conditions.list[0]?.code, "config_missing");
    conditions.update({ isMissing: false, actions: [], skippedBindings: [], restartKeys: [] });
    assert.deepEqual(conditions.list, []);
  });

  it("keeps since while a condition holds, whatever it says by now", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 0 });
    const { conditions } = build();
    conditions.update({ refused: [{ path: "a", message: "wrong", line: null }] });
    t.mock.timers.setTime(60_000);
    conditions.update({ refused: [{ path: "b", message: "wrong", line: null }], restartKeys: ["hosts.mode"] });
    assert.deepEqual(
      conditions.list.map(({ message, since }) => [message, since]),
      [
        ["b: wrong", "1970-01-01T00:00:00.000Z"],
        ["Restart the gateway to apply hosts.mode", "1970-01-01T00:01:00.000Z"],
      ],
    );
    conditions.update({ refused: [] });
    t.mock.timers.setTime(120_000);
    conditions.update({ refused: [{ path: "a", message: "wrong", line: null }] });
    assert.equal(conditions.list[0]?.since, "1970-01-01T00:02:00.000Z");
  });

  it("tells several skipped bindings apart", () => {
    const { conditions } = build();
    const skipped = [1, 2].map((index) => ({ path: `bindings[${index}]`, message: "gone", line: null }));
    conditions.update({ skippedBindings: skipped });
    assert.equal(conditions.list.length, 2);
  });

  it("tells and logs what changed, and nothing when nothing did", () => {
    const { conditions, told, logger } = build();
    conditions.update({ actions: [invalidSlack] });
    conditions.update({ actions: [invalidSlack] });
    assert.deepEqual(
      told.map((list) => list.length),
      [1],
    );
    assert.deepEqual(
      logger.records.map(({ event, fields }) => [event, fields["code"]]),
      [["condition-raised", "spec_invalid"]],
    );
    conditions.update({ actions: [] });
    assert.deepEqual(
      told.map((list) => list.length),
      [1, 0],
    );
  });

  it("survives a listener that throws", () => {
    const logger = new RecordingLogger();
    const conditions = new Conditions(logger, () => {
      throw new Error("listener");
    });
    conditions.update({ isMissing: true });
    assert.equal(conditions.list.length, 1);
    assert.equal(logger.records.at(-1)?.event, "condition-listener-failed");
  });
});

function build() {
  const logger = new RecordingLogger();
  const told: (readonly Condition[])[] = [];
  return { logger, told, conditions: new Conditions(logger, (list) => void told.push(list)) };
}
