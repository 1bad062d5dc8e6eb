import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MinuteLog, type MinuteFields } from "../../src/support/minute-log.ts";

function create(limits?: ConstructorParameters<typeof MinuteLog>[1]): [log: MinuteLog, lines: MinuteFields[]] {
  const lines: MinuteFields[] = [];
  return [new MinuteLog((fields) => void lines.push(fields), limits), lines];
}

describe("MinuteLog", () => {
  it("says each kind once a minute, with how many there were", () => {
    const [log, lines] = create();
    for (const nowMs of [0, 10, 59_999, 60_000]) log.note("x", nowMs);
    assert.deepEqual(lines, [
      { kind: "x", count: 1, sinceLast: 1 },
      { kind: "x", count: 4, sinceLast: 3 },
    ]);
  });

  it("tells no more kinds apart than it may, however long their names", () => {
    const [log, lines] = create({ mostKinds: 2, longestKind: 3 });
    for (const kind of ["first", "second", "third", "fourth", "first again"]) log.note(kind, 0);
    assert.deepEqual(
      lines.map(({ kind }) => kind),
      ["fir", "sec", "other"],
    );
  });
});
