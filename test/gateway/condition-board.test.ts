import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Condition } from "../../src/contract/status.ts";
import { ConditionBoard } from "../../src/gateway/condition-board.ts";

const since = "2026-01-01T00:00:00.000Z";

function condition(code: Condition["code"], parts: Partial<Condition> = {}): Condition {
  return { code, key: null, message: "so it is", since, ...parts };
}

const codesOf = (conditions: readonly Condition[]): readonly string[] => conditions.map(({ code }) => code);

describe("ConditionBoard.list()", () => {
  it("lists what two stages tell once, and what is about two keys twice", () => {
    const board = new ConditionBoard();
    board.addSource(() => [condition("spec_invalid", { key: "a" }), condition("spec_invalid", { key: "b" })]);
    board.addSource(() => [condition("spec_invalid", { key: "a", message: "in other words" })]);
    assert.deepEqual(
      board.list().map(({ key, message }) => `${key}: ${message}`),
      ["a: so it is", "b: so it is"],
    );
  });

  it("lists each binding that is skipped", () => {
    const board = new ConditionBoard();
    board.addSource(() => ["bindings[0]", "bindings[1]"].map((message) => condition("binding_skipped", { message })));
    assert.equal(board.list().length, 2);
  });

  it("keeps the time of the first message", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: 1000 });
    const board = new ConditionBoard();
    board.set("journal_unavailable", "full");
    t.mock.timers.tick(5000);
    board.set("journal_unavailable", "still full");
    assert.deepEqual(board.list(), [
      condition("journal_unavailable", { message: "still full", since: "1970-01-01T00:00:01.000Z" }),
    ]);
    board.set("journal_unavailable", null);
    assert.deepEqual(board.list(), []);
  });
});

describe("ConditionBoard.watch()", () => {
  it("tells at once of a condition of its own that comes or goes, and within a second of a stage's", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const board = new ConditionBoard();
    let theirs: readonly Condition[] = [];
    board.addSource(() => theirs);
    const told: (readonly string[])[] = [];
    const watch = board.watch((conditions) => told.push(codesOf(conditions)));
    board.set("journal_unavailable", "full");
    assert.deepEqual(told, [["journal_unavailable"]]);
    theirs = [condition("journal_full")];
    t.mock.timers.tick(1000);
    board.set("journal_unavailable", null);
    theirs = [];
    t.mock.timers.tick(1000);
    assert.deepEqual(told.slice(1), [["journal_unavailable", "journal_full"], ["journal_full"], []]);
    watch[Symbol.dispose]();
    board.set("journal_unavailable", "full");
    t.mock.timers.tick(1000);
    assert.equal(told.length, 4);
  });

  it("does not tell again of one whose message alone has changed", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const board = new ConditionBoard();
    let bytes = 0;
    board.addSource(() => [condition("journal_full", { message: `${(bytes += 1)} bytes` })]);
    let calls = 0;
    using _watch = board.watch(() => (calls += 1));
    t.mock.timers.tick(5000);
    assert.equal(calls, 1);
  });
});
