import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newWarnings } from "../../src/reconcile/new-warnings.ts";
import { config } from "../support/config-fixture.ts";

const warning = (message: string, line: number | null = null) => ({ path: "", message, line });

describe("newWarnings()", () => {
  it("has all of a first config's", () => {
    const warnings = [warning("a"), warning("b")];
    assert.deepEqual(newWarnings(config({ warnings }), null), warnings);
  });

  it("has those that the config before did not have, wherever they stand by now", () => {
    const before = config({ warnings: [warning("a", 1), warning("b", 2)] });
    const after = config({ warnings: [warning("b", 9), warning("c", 10)] });
    assert.deepEqual(newWarnings(after, before), [warning("c", 10)]);
  });
});
