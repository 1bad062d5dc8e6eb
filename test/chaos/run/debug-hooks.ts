/**
 * Loaded into the coordinator by `--import`: what no signal of the gateway's own does. SIGUSR2 terminates the journal's
 * thread, which is the only one that a coordinator has, and writes what is active in the process to standard error.
 */
import type { Worker } from "node:worker_threads";

/** Begins the line on standard error; JSON follows: how many of each resource keep the loop alive. */
export const resourcesPrefix = "active-resources ";

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
