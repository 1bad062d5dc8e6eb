import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import type { Worker } from "node:worker_threads";
import type { Journal, JournalWrite } from "../../src/contract/journal.ts";
import { startJournal, type JournalOptions } from "../../src/journal/journal.ts";
import { entries } from "../../workers/catalog.ts";
import { faultPaths, type Fault } from "../support/faulty-journal.ts";
import { accept, prune, send } from "../support/journal-writes.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { silentLogger } from "../support/silent-logger.ts";

const all = { afterSeq: 0, limit: 10_000 };
const faultyEntryUrl = new URL("../support/faulty-journal.ts", import.meta.url).href;
let directory = "";
let path = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-journal-"));
  path = join(directory, "journal.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function start(options: Partial<JournalOptions> = {}): Promise<Journal> {
  return startJournal({
    path,
    durability: "full",
    groupCommitMs: 0,
    entryUrl: entries.journal,
    logger: silentLogger,
    ...options,
  });
}

/** A journal whose threads have faults, one entry per life. */
function startFaulty(faults: readonly Fault[], options: Partial<JournalOptions> = {}): Promise<Journal> {
  writeFileSync(faultPaths(path).faults, faults.map((fault) => JSON.stringify(fault)).join("\n"));
  return start({ entryUrl: faultyEntryUrl, ...options });
}

/** Every thread that is started during the test, newest last. */
function watchThreads(t: TestContext): Worker[] {
  const threads: Worker[] = [];
  const onWorker = (worker: Worker): void => void threads.push(worker);
  process.on("worker", onWorker);
  t.after(() => process.off("worker", onWorker));
  return threads;
}

/** Resolves with the next change of trouble that `isWanted` wants. */
function troubleThat(journal: Journal, isWanted: (trouble: string | null) => boolean): Promise<string | null> {
  return new Promise((resolve) =>
    journal.onTrouble((trouble) => {
      if (isWanted(trouble)) resolve(trouble);
    }),
  );
}

async function pendingSeqs(journal: Journal): Promise<number[]> {
  return (await journal.query("pending", all)).map((row) => row.seq);
}

describe("startJournal()", () => {
  it("writes what is committed and answers what is asked", async () => {
    await using journal = await start();
    const results = await journal.commit([accept(1), accept(2, { id: "m1" }), send(1)]);
    assert.deepEqual(
      results.map((result) => result.duplicate),
      [false, true, false],
    );
    assert.deepEqual(await pendingSeqs(journal), [1]);
    const [stored] = await journal.query("payloads", { seqs: [1, 2] });
    assert.equal(new TextDecoder().decode(stored?.payload), "payload 1");
    assert.equal((await journal.query("openSends", { key: "discord", ...all }))[0]?.response[0], 1);
    assert.equal(journal.trouble, null);
  });

  it("keeps what is committed over a restart", async () => {
    {
      await using journal = await start();
      await journal.commit([accept(1), accept(2)]);
    }
    assert.deepEqual(readdirSync(directory), ["journal.db"], "the write-ahead log is gone");
    await using journal = await start();
    assert.equal(journal.opened.nextSeq, 3);
    assert.deepEqual(await pendingSeqs(journal), [1, 2]);
  });

  it("gathers commits of many callers and gives each its own results", async () => {
    await using journal = await start({ path: null, durability: "memory", groupCommitMs: 1 });
    const commits = Array.from({ length: 500 }, (_, index) =>
      journal.commit([accept(index * 2 + 1, { id: `same${index % 250}` }), accept(index * 2 + 2)]),
    );
    const results = await Promise.all(commits);
    for (const [index, [first, second]] of results.entries()) {
      assert.equal(first?.duplicate, index >= 250, String(index));
      assert.equal(second?.duplicate, false);
    }
  });

  it("fails the one commit that cannot be done, not its group", async () => {
    await using journal = await start();
    await journal.commit([accept(1)]);
    const colliding = journal.commit([accept(1, { id: "another" }), accept(2)]);
    const good = journal.commit([accept(3)]);
    await assert.rejects(colliding, { code: "internal" });
    assert.deepEqual(await good, [{ duplicate: false, existingId: null }]);
    assert.deepEqual(await pendingSeqs(journal), [1, 3]);
    assert.equal(journal.trouble, null);
  });

  it("refuses more than may wait", async () => {
    await using journal = await start({ maxQueuedBytes: 2_000 });
    const first = journal.commit([accept(1, { payload: new Uint8Array(5_000) })]);
    await assert.rejects(journal.commit([accept(2)]), { code: "journal_unavailable", message: /bytes already wait/ });
    await first;
    await journal.commit([accept(2)]);
  });

  it("tells where a corrupt file went", async () => {
    writeFileSync(path, "not a database ".repeat(1_000));
    const logger = new RecordingLogger();
    await using journal = await start({ logger });
    assert.match(journal.opened.setAsidePath ?? "", /journal\.db\.corrupt-/);
    assert.match(readFileSync(journal.opened.setAsidePath ?? "", "utf8"), /^not a database/);
    assert.equal(logger.records.find((record) => record.event === "journal-set-aside")?.fields["path"], path);
    await journal.commit([accept(journal.opened.nextSeq)]);
  });

  it("rejects when the file cannot be opened at all", async () => {
    writeFileSync(join(directory, "file"), "");
    await assert.rejects(start({ path: join(directory, "file", "journal.db") }), { code: "journal_unavailable" });
  });

  it("rejects when the directory cannot be written", async () => {
    await assert.rejects(start({ path: "/proc/self/journal.db" }), { code: "journal_unavailable" });
  });

  it("rejects when its entry cannot be loaded", async () => {
    await assert.rejects(start({ entryUrl: new URL("./missing.ts", import.meta.url).href }), {
      code: "journal_unavailable",
    });
  });
});

describe("a journal whose thread dies", () => {
  it("loses nothing and doubles nothing, wherever it dies", async () => {
    const faults: readonly Fault[] = [
      { kind: "before", group: 1 },
      { kind: "after", group: 1 },
      { kind: "after", group: 2 },
      { kind: "before", group: 3 },
      { kind: "after", group: 1 },
    ];
    await using journal = await startFaulty(faults);
    const acked: number[] = [];
    // One after another, so that every fault meets a group of its own.
    for (let seq = 1; seq <= 8; seq += 1) {
      const writes: JournalWrite[] = [accept(seq), send(seq)];
      if (seq > 1) writes.push({ op: "ack", seq: seq - 1, atMs: seq });
      const results = await journal.commit(writes);
      assert.ok(results.every((result) => !result.duplicate));
      acked.push(seq);
    }
    assert.equal(readFileSync(faultPaths(path).lives, "utf8").length, 6, "every fault happened");
    assert.equal(acked.length, 8);
    const { pending, acked: done } = await journal.query("counts", {});
    assert.deepEqual({ pending, done }, { pending: 1, done: 7 });
    assert.equal((await journal.query("openSends", { key: "discord", ...all })).length, 8);
  });

  it("says so while it has none, and works again with the next one", async () => {
    const logger = new RecordingLogger();
    await using journal = await startFaulty([{ kind: "after", group: 1 }], { logger });
    const troubles: (string | null)[] = [];
    journal.onTrouble((trouble) => troubles.push(trouble));
    await journal.commit([accept(1)]);
    assert.equal(troubles.length, 2);
    assert.match(troubles[0] ?? "", /journal's thread ended: worker exited with code: 1/);
    assert.equal(troubles[1], null);
    assert.equal(logger.records.filter((record) => record.event === "journal-thread-lost").length, 1);
  });

  it("survives being terminated from outside with many commits in flight", async (t) => {
    const threads = watchThreads(t);
    await using journal = await start();
    const commits: Promise<unknown>[] = [];
    for (let seq = 1; seq <= 2_000; seq += 1) {
      commits.push(journal.commit([accept(seq)]));
      if (seq % 500 === 0) {
        await commits[seq - 250];
        void threads.at(-1)?.terminate();
      }
    }
    await Promise.all(commits);
    const { pending } = await journal.query("counts", {});
    assert.equal(pending, 2_000);
    assert.ok(threads.length > 1);
  });

  it("asks the next thread what the last one did not answer", async (t) => {
    const threads = watchThreads(t);
    await using journal = await start();
    await journal.commit([accept(1)]);
    const asked = pendingSeqs(journal);
    void threads.at(-1)?.terminate();
    const alsoAsked = pendingSeqs(journal);
    assert.deepEqual(await Promise.all([asked, alsoAsked]), [[1], [1]]);
  });

  it("takes a group that was there at five deaths for their cause", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    const logger = new RecordingLogger();
    const lost = logger.error.bind(logger);
    logger.error = (event, fields) => {
      lost(event, fields);
      // The delay before the next thread begins once this has been said.
      if (event === "journal-thread-lost") setImmediate(() => t.mock.timers.tick(1_600));
    };
    const faults = Array.from({ length: 5 }, (): Fault => ({ kind: "before", group: 1 }));
    await using journal = await startFaulty(faults, { logger });
    const recovered = troubleThat(journal, (trouble) => trouble === null);
    await assert.rejects(journal.commit([accept(1)]), { code: "journal_unavailable" });
    await recovered;
    await journal.commit([accept(2)]);
    assert.deepEqual(await pendingSeqs(journal), [2]);
  });
});

describe("a journal whose file is damaged while it runs", () => {
  it("sets the file aside, says so, and writes what was on its way to a new one", async () => {
    const logger = new RecordingLogger();
    await using journal = await startFaulty([{ kind: "damage", group: 2 }], { logger });
    await journal.commit([accept(1)]);
    assert.equal(journal.opened.setAsidePath, null);
    await journal.commit([accept(2)]);
    assert.match(journal.opened.setAsidePath ?? "", /journal\.db\.corrupt-/);
    assert.equal(journal.opened.nextSeq, 1, "the coordinator's numbers go on");
    assert.deepEqual(await pendingSeqs(journal), [2]);
    assert.ok(logger.records.some((record) => record.event === "journal-set-aside"));
  });
});

describe("a journal whose thread hangs", () => {
  it("says so after ten seconds, refuses after five more, and does not hold up the end", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    const journal = await startFaulty([{ kind: "hang", group: 1 }]);
    const began = troubleThat(journal, (trouble) => trouble !== null);
    const stuck = journal.commit([accept(1)]);
    stuck.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(10_000);
    assert.match((await began) ?? "", /has not answered for 10 s/);
    const waiting = journal.commit([accept(2)]);
    waiting.catch(() => {});
    t.mock.timers.tick(5_000);
    await assert.rejects(waiting, { code: "journal_unavailable" });
    const disposal = { isDone: false };
    const disposed = Promise.resolve(journal[Symbol.asyncDispose]()).finally(() => {
      disposal.isDone = true;
    });
    // Each of its deadlines begins when the one before has passed.
    while (!disposal.isDone) {
      t.mock.timers.tick(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await disposed;
    await assert.rejects(stuck, { code: "journal_unavailable" });
  });
});

describe("a journal on a full disk", () => {
  it("lets commits wait, fails them when it lasts, and works again once a prune made room", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    await using journal = await start({ maxPages: 100 });
    const large = (seq: number) => accept(seq, { payload: new Uint8Array(20_000) });
    const began = troubleThat(journal, (trouble) => trouble !== null);
    let seq = 0;
    const fill = async (): Promise<void> => {
      for (;;) await journal.commit([large((seq += 1))]);
    };
    const filled = fill();
    filled.catch(() => {});
    assert.match((await began) ?? "", /database or disk is full/);
    t.mock.timers.tick(5_000);
    await assert.rejects(filled, { code: "journal_unavailable", message: /disk is full/ });
    await assert.rejects(journal.commit([large(seq)]), { code: "journal_unavailable" }, "at once by now");
    assert.equal((await pendingSeqs(journal)).length, seq - 1, "reading goes on");

    const over = troubleThat(journal, (trouble) => trouble === null);
    const pruned = journal.commit([prune({ mailBeforeMs: 1 })]);
    t.mock.timers.tick(1_000);
    await pruned;
    await over;
    const acks = Array.from({ length: seq - 1 }, (_, index): JournalWrite => ({ op: "ack", seq: index + 1, atMs: 1 }));
    await journal.commit(acks);
    await journal.commit([prune({ ackedBeforeMs: 2 })]);
    await journal.commit([large(seq)]);
    assert.deepEqual(await pendingSeqs(journal), [seq]);
  });

  it("recovers by itself, by asking once a second", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    await using journal = await start({ maxPages: 100 });
    const began = troubleThat(journal, (trouble) => trouble !== null);
    const tooLarge = journal.commit([accept(1, { payload: new Uint8Array(1_000_000) })]);
    tooLarge.catch(() => {});
    await began;
    t.mock.timers.tick(5_000);
    await assert.rejects(tooLarge, { code: "journal_unavailable" });
    const over = troubleThat(journal, (trouble) => trouble === null);
    t.mock.timers.tick(1_000);
    await over;
    await journal.commit([accept(2)]);
    assert.deepEqual(await pendingSeqs(journal), [2]);
  });
});

describe("disposing a journal", () => {
  it("writes what waits, then refuses", async () => {
    const journal = await start();
    const commits = Array.from({ length: 100 }, (_, index) => journal.commit([accept(index + 1)]));
    await journal[Symbol.asyncDispose]();
    assert.equal((await Promise.all(commits)).length, 100);
    await assert.rejects(journal.commit([accept(101)]), { code: "journal_unavailable", message: /it is closed/ });
    await assert.rejects(journal.query("counts", {}), { code: "journal_unavailable" });
    await journal[Symbol.asyncDispose]();
    await using again = await start();
    assert.equal((await pendingSeqs(again)).length, 100);
  });
});
