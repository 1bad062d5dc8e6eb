import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Journal, JournalWrite } from "../../src/contract/journal.ts";
import { DurableStore } from "../../src/journal/durable-store.ts";
import { JournalStore } from "../../workers/journal-store.ts";
import { silentLogger } from "../support/silent-logger.ts";

/** A journal in memory whose commits are kept, and fail while `isBroken`. */
class RecordingJournal {
  readonly commits: (readonly JournalWrite[])[] = [];
  isBroken = false;
  readonly #store = JournalStore.open({ path: null, durability: "memory", check: "auto", maxPages: null });

  readonly commit: Journal["commit"] = async (writes) => {
    await Promise.resolve();
    if (this.isBroken) throw new Error("disk full");
    this.commits.push(writes);
    return this.#store.apply(writes);
  };

  readonly query: Journal["query"] = (name, args) => Promise.resolve(this.#store.query(name, args));
}

describe("DurableStore", () => {
  it("keeps values by scope and key", async () => {
    const journal = new RecordingJournal();
    const store = new DurableStore(journal, silentLogger);
    store.put("resume", "discord", "seq 7");
    store.put("resume", "slack", "x");
    store.put("backoff", "discord", "3");
    store.put("resume", "slack", null);
    await store.flush();
    assert.deepEqual(await new DurableStore(journal, silentLogger).load("resume"), { discord: "seq 7" });
    assert.deepEqual(await store.load("backoff"), { discord: "3" });
    assert.deepEqual(await store.load("budget"), {});
  });

  it("writes what is put in one turn in one commit, the last value of each key", async () => {
    const journal = new RecordingJournal();
    const store = new DurableStore(journal, silentLogger);
    for (let value = 0; value < 100; value += 1) store.put("resume", `key${value % 2}`, String(value));
    await store.flush();
    assert.deepEqual(journal.commits, [
      [
        { op: "put", scope: "resume", key: "key0", value: "98" },
        { op: "put", scope: "resume", key: "key1", value: "99" },
      ],
    ]);
  });

  it("writes by itself", async () => {
    const journal = new RecordingJournal();
    const store = new DurableStore(journal, silentLogger);
    store.put("resume", "discord", "1");
    while (journal.commits.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await journal.query("scope", { scope: "resume" }), { discord: "1" });
  });

  it("loads what was put and is not on disk yet", async () => {
    const journal = new RecordingJournal();
    const store = new DurableStore(journal, silentLogger);
    store.put("resume", "a", "1");
    store.put("resume", "b", "1");
    await store.flush();
    journal.isBroken = true;
    store.put("resume", "a", "2");
    store.put("resume", "b", null);
    assert.deepEqual(await store.load("resume"), { a: "2" });
    await assert.rejects(store.flush());
    assert.deepEqual(await store.load("resume"), { a: "2" });
  });

  it("tries again what could not be written, without undoing what was put since", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const journal = new RecordingJournal();
    const store = new DurableStore(journal, silentLogger);
    journal.isBroken = true;
    store.put("resume", "a", "old");
    store.put("resume", "b", "kept");
    const failed = assert.rejects(store.flush());
    store.put("resume", "a", "new");
    await failed;
    journal.isBroken = false;
    t.mock.timers.tick(1_000);
    while (journal.commits.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await journal.query("scope", { scope: "resume" }), { a: "new", b: "kept" });
    await store.flush();
    assert.equal(journal.commits.length, 1, "nothing is left to write");
  });
});
