import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { ToJournalThread } from "../../src/contract/journal-wire.ts";
import { QuestionDesk } from "../../src/journal/question-desk.ts";

describe("QuestionDesk", () => {
  it("gives each question its own answer, in whatever order they come", async () => {
    const desk = new QuestionDesk();
    const first = desk.ask("scope", { scope: "a" }, () => {});
    const second = desk.ask("scope", { scope: "b" }, () => {});
    desk.settle({ kind: "answer", number: 2, answer: { of: "b" }, bytes: null });
    desk.settle({ kind: "answer", number: 1, answer: { of: "a" }, bytes: null });
    assert.deepEqual(await Promise.all([first, second]), [{ of: "a" }, { of: "b" }]);
  });

  it("gives up after ten seconds, and takes no answer after that", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const desk = new QuestionDesk();
    const asked = desk.ask("counts", {}, () => {});
    const rejected = assert.rejects(asked, { code: "journal_unavailable", message: /did not finish within 10000 ms/ });
    t.mock.timers.tick(10_000);
    await rejected;
    desk.settle({ kind: "answer", number: 1, answer: {}, bytes: null });
    const again: ToJournalThread[] = [];
    desk.askAgain((message) => again.push(message));
    assert.deepEqual(again, []);
  });

  it("asks a new thread what is open, and passes a refusal on", async () => {
    const desk = new QuestionDesk();
    const asked = desk.ask("scope", { scope: "a" }, () => {});
    const again: ToJournalThread[] = [];
    desk.askAgain((message) => again.push(message));
    assert.deepEqual(again, [{ kind: "query", number: 1, name: "scope", args: { scope: "a" } }]);
    const error = new GatewayError("journal_unavailable", "disk I/O error").toReport();
    desk.settle({ kind: "unanswered", number: 1, error });
    await assert.rejects(asked, { code: "journal_unavailable", message: "disk I/O error" });
  });
});
