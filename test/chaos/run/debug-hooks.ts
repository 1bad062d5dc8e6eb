/**
 * Loaded into the coordinator by `--import`: what no signal of the gateway's own does. SIGUSR2 terminates the journal's
 * thread, which is the only one that a coordinator has; SIGWINCH writes what is active in the process to standard error. In
 * that thread, commits are slow and the file may not grow while there are files under the names that the environment gives.
 */
import { existsSync } from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { isMainThread, type Worker } from "node:worker_threads";

/** Begins the line on standard error; JSON follows: how many of each resource keep the loop alive. */
export const resourcesPrefix = "active-resources ";
/** The environment variable with the path of the file that makes the disk slow. */
export const slowDiskVariable = "BULKHEAD_TEST_SLOW_DISK";
/** The environment variable with the path of the file that leaves the journal no room, where no disk can be filled. */
export const fullDiskVariable = "BULKHEAD_TEST_FULL_DISK";
/** SQLite's own. */
const unlimitedPages = 4_294_967_294;
/** What a commit takes then, beside its own time. */
const slowCommitMs = 300;

if (isMainThread) watchJournalThread();
else {
  slowDownCommits(process.env[slowDiskVariable] ?? "");
  leaveNoRoom(process.env[fullDiskVariable] ?? "");
}

function watchJournalThread(): void {
  const workers = new Set<Worker>();
  process.on("worker", (worker: Worker) => {
    workers.add(worker);
    worker.once("exit", () => workers.delete(worker));
  });
  process.on("SIGUSR2", () => {
    for (const worker of workers) void worker.terminate();
  });
  process.on("SIGWINCH", () => {
    const counts: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
    process.stderr.write(`${resourcesPrefix}${JSON.stringify(counts)}\n`);
  });
}

/** From the next transaction on the file may have no page more than it has, until the transaction after the end of it. */
function leaveNoRoom(path: string): void {
  const databases = new WeakMap<StatementSync, DatabaseSync>();
  const prepare = Reflect.get(DatabaseSync.prototype, "prepare");
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...parameters: Parameters<DatabaseSync["prepare"]>) {
    const statement: StatementSync = Reflect.apply(prepare, this, parameters);
    if (statement.sourceSQL.startsWith("BEGIN")) databases.set(statement, this);
    return statement;
  };
  const run = Reflect.get(StatementSync.prototype, "run");
  let isFull = false;
  StatementSync.prototype.run = function (this: StatementSync, ...parameters: Parameters<StatementSync["run"]>) {
    const database = databases.get(this);
    if (database !== undefined && existsSync(path) !== isFull) {
      isFull = !isFull;
      // Less than the pages there are is taken for just as many.
      database.exec(`PRAGMA max_page_count = ${isFull ? 1 : unlimitedPages}`);
    }
    return Reflect.apply(run, this, parameters);
  } as StatementSync["run"];
}

/** A disk that is slow holds a thread up just there. */
function slowDownCommits(path: string): void {
  const run = Reflect.get(StatementSync.prototype, "run");
  StatementSync.prototype.run = function (this: StatementSync, ...parameters: Parameters<StatementSync["run"]>) {
    if (this.sourceSQL === "COMMIT" && existsSync(path))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, slowCommitMs);
    return Reflect.apply(run, this, parameters);
  } as StatementSync["run"];
}
