import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { fullDiskVariable } from "./debug-hooks.ts";

const hooks = new URL("./debug-hooks.ts", import.meta.url).href;

/** Writes 16 KiB for each message that it gets, and says what came of it. */
const writer = `import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
const database = new DatabaseSync(workerData);
database.exec("PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)");
const [begin, insert, commit] = ["BEGIN IMMEDIATE", "INSERT INTO notes VALUES (?)", "COMMIT"].map((sql) => database.prepare(sql));
parentPort.on("message", () => {
  try {
    begin.run();
    insert.run("x".repeat(16384));
    commit.run();
    parentPort.postMessage("written");
  } catch (reason) {
    if (database.isTransaction) database.exec("ROLLBACK");
    parentPort.postMessage(reason.message);
  }
});`;

describe("debug-hooks.ts", () => {
  it("leaves a database no room while there is a file, and room again after it", async (context) => {
    const dir = mkdtempSync(join(tmpdir(), "bulkhead-hooks-"));
    context.after(() => rmSync(dir, { recursive: true }));
    const fullDiskPath = join(dir, "full-disk");
    const writerPath = join(dir, "writer.mjs");
    writeFileSync(writerPath, writer);
    const worker = new Worker(writerPath, {
      execArgv: ["--import", hooks],
      env: { ...process.env, [fullDiskVariable]: fullDiskPath },
      workerData: join(dir, "notes.db"),
    });
    context.after(() => worker.terminate());
    const write = async (): Promise<unknown> => {
      const answer = once(worker, "message");
      worker.postMessage(null);
      return (await answer)[0];
    };
    assert.equal(await write(), "written");
    writeFileSync(fullDiskPath, "");
    assert.equal(await write(), "database or disk is full");
    assert.equal(await write(), "database or disk is full");
    rmSync(fullDiskPath);
    assert.equal(await write(), "written");
  });
});
