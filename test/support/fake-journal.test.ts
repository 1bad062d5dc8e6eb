import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeJournal } from "./fake-journal.ts";

describe("FakeJournal", () => {
  it("loses what was not applied and keeps what was, as a crash does", async () => {
    const journal = new FakeJournal();
    journal.hold();
    void journal.commit([{ op: "put", scope: "s", key: "a", value: "1" }]);
    const kept = journal.reopen({ isLastApplied: true });
    void journal.commit([{ op: "put", scope: "s", key: "b", value: "2" }]);
    const lost = journal.reopen();
    assert.deepEqual(await kept.query("scope", { scope: "s" }), { a: "1" });
    assert.deepEqual(await lost.query("scope", { scope: "s" }), { a: "1" });
  });
});
