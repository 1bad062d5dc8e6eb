import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { ConnectBudget, type BudgetStore } from "../../src/supervise/connect-budget.ts";
import { failureOfError } from "../../src/supervise/failure.ts";

const hourMs = 3_600_000;

function memoryStore(values: Record<string, string> = {}): BudgetStore {
  return {
    load: async () => ({ ...values }),
    save: async (key, value) => {
      values[key] = value;
    },
  };
}

async function spend(budget: ConnectBudget, count: number, nowMs: number): Promise<void> {
  for (let spent = 0; spent < count; spent += 1)
    assert.equal((await budget.acquire("c", "identify", nowMs)).kind, "granted");
}

describe("ConnectBudget", () => {
  it("grants 80 % of a thousand logins a day, then says when the next one is free", async () => {
    const budget = await ConnectBudget.start(memoryStore());
    await spend(budget, 500, 0);
    await spend(budget, 300, 5 * hourMs);
    const verdict = await budget.acquire("c", "identify", 6 * hourMs);
    assert.equal(verdict.kind, "refused");
    assert.equal(verdict.retryAfterMs, 19 * hourMs);
    await spend(budget, 500, 25 * hourMs);
    assert.equal((await budget.acquire("c", "identify", 25 * hourMs)).kind, "refused");
  });

  it("never grants more than a thousand in any day, also over a window's edge", async () => {
    const budget = await ConnectBudget.start(memoryStore());
    const grantedAtMs: number[] = [];
    for (let nowMs = 0; nowMs < 72 * hourMs; nowMs += 60_000) {
      const verdict = await budget.acquire("c", "identify", nowMs);
      if (verdict.kind === "granted") grantedAtMs.push(nowMs);
    }
    for (const atMs of grantedAtMs) {
      const inDay = grantedAtMs.filter((other) => other >= atMs && other < atMs + 24 * hourMs).length;
      assert.ok(inDay <= 800);
    }
  });

  it("counts a burst at the end of an hour for a whole day", async () => {
    const budget = await ConnectBudget.start(memoryStore());
    await spend(budget, 800, hourMs - 1);
    assert.equal((await budget.acquire("c", "identify", 24 * hourMs)).kind, "refused");
    assert.equal((await budget.acquire("c", "identify", 25 * hourMs)).kind, "granted");
  });

  it("resumes for free, and counts each credential by itself", async () => {
    const budget = await ConnectBudget.start(memoryStore());
    await spend(budget, 800, 0);
    assert.equal((await budget.acquire("c", "resume", 0)).kind, "granted");
    assert.equal((await budget.acquire("other", "identify", 0)).kind, "granted");
  });

  it("remembers after the coordinator was killed", async () => {
    const values = {};
    await spend(await ConnectBudget.start(memoryStore(values)), 800, 0);
    const after = await ConnectBudget.start(memoryStore(values));
    assert.equal((await after.acquire("c", "identify", hourMs)).kind, "refused");
  });

  it("counts what a clock that was put back has made tomorrow", async () => {
    const values = {};
    await spend(await ConnectBudget.start(memoryStore(values)), 800, 5 * hourMs);
    const after = await ConnectBudget.start(memoryStore(values));
    assert.equal((await after.acquire("c", "identify", 0)).kind, "refused");
  });

  it("does not hold against a credential what a clock put forward has dated days ahead", async () => {
    const values = {};
    await spend(await ConnectBudget.start(memoryStore(values)), 800, 200 * hourMs);
    const after = await ConnectBudget.start(memoryStore(values));
    assert.equal((await after.acquire("c", "identify", 0)).kind, "granted");
  });

  it("grants nothing that it could not keep", async () => {
    const save = async (): Promise<void> => {
      throw new GatewayError("journal_unavailable", "disk full");
    };
    const budget = await ConnectBudget.start({ ...memoryStore(), save });
    await assert.rejects(budget.acquire("c", "identify", 0), { code: "journal_unavailable" });
  });

  it("refuses with an error that shows as budget_exhausted", async () => {
    const budget = await ConnectBudget.start(memoryStore({ "c identify": "[[0,800]]" }));
    const verdict = await budget.acquire("c", "identify", 0);
    assert.equal(verdict.kind, "refused");
    const { reason, retryAfterMs } = failureOfError(verdict.error, "start_failed");
    assert.deepEqual([reason, retryAfterMs], ["budget_exhausted", 25 * hourMs]);
  });

  it("takes a torn value as an empty budget", async () => {
    const budget = await ConnectBudget.start(memoryStore({ "c identify": "[[0," }));
    assert.equal((await budget.acquire("c", "identify", 0)).kind, "granted");
  });
});
