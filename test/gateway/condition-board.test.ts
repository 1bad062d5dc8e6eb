import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConditionBoard } from "../../src/gateway/condition-board.ts";

describe("ConditionBoard", () => {
  it("keeps the time a condition began while its message changes, and forgets it when it is over", (context) => {
    context.mock.timers.enable({ apis: ["Date"], now: 0 });
    const board = new ConditionBoard();
    board.set("journal_unavailable", "disk full");
    context.mock.timers.setTime(60_000);
    board.set("journal_unavailable", "still full");
    assert.deepEqual(board.list(), [
      { code: "journal_unavailable", key: null, message: "still full", since: "1970-01-01T00:00:00.000Z" },
    ]);
    board.set("journal_unavailable", null);
    assert.deepEqual(board.list(), []);
  });

  it("lists what two stages tell once", () => {
    const board = new ConditionBoard();
    const condition = {
      code: "spec_invalid",
      key: "slack",
      message: "from one",
      since: "2026-01-01T00:00:00.000Z",
    } as const;
    board.addSource(() => [condition]);
    board.addSource(() => [
      { ...condition, message: "from the other" },
      { ...condition, key: "discord" },
    ]);
    assert.deepEqual(
      board.list().map(({ key, message }) => [key, message]),
      [
        ["slack", "from one"],
        ["discord", "from one"],
      ],
    );
  });
});
