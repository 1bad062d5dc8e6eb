/**
 * Loaded into the coordinator by `--import`: what no signal of the gateway's own does. SIGUSR2 terminates the journal's
 * thread, which is the only one that a coordinator has, and writes what is active in the process to standard error. In
 * that thread, commits are slow while there is a file under the name that the environment gives.
 */
import { existsSync } from "node:fs";
import { StatementSync } from "node:sqlite";
import { isMainThread, type Worker } from "node:worker_threads";

/** Begins the line on standard error; JSON follows: how many of each resource keep the loop alive. */
export const resourcesPrefix = "active-resources ";
/** The environment variable with the path of the file that makes the disk slow. */
export const slowDiskVariable = "BULKHEAD_TEST_SLOW_DISK";
/** What a commit takes then, beside its own time. */
const slowCommitMs = 300;

if (isMainThread) watchJournalThread();
else slowDownCommits(process.env[slowDiskVariable] ?? "");

function watchJournalThread(): void {
  const workers = new Set<Worker>();
  process.on("worker", (worker: Worker) => {
    workers.add(worker);
    worker.once("exit", () => workers.delete(worker));
  });
  process.on("SIGUSR2", () => {
    const counts: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
    process.stderr.write(`${resourcesPrefix}${JSON.stringify(counts)}\n`);
    for (const worker of workers) void worker.terminate();
  });
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
