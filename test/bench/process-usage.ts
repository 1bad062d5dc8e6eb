/** What processes have used, as the kernel counts it (`proc(5)`). */
import { readFileSync } from "node:fs";
import { statFields } from "../../src/host/stat-fields.ts";

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU time of all threads of `pids` so far, user and system, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, "utf8"));
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

/** Resident memory in MB (2^20). Pages that processes share count once in each. */
export function rssMegabytes(pid: number): number {
  return fieldMegabytes(`/proc/${pid}/status`, "VmRSS");
}

/** Proportional resident memory in MB (2^20): a page that n processes share counts 1/n in each. */
export function pssMegabytes(pid: number): number {
  return fieldMegabytes(`/proc/${pid}/smaps_rollup`, "Pss");
}

function fieldMegabytes(path: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "mu").exec(readFileSync(path, "utf8"));
  return Number(found?.[1]) / 1024;
}
