/** When a process began, as the kernel tells it: a pid alone is not an identity, since pids come again. */
import { readFileSync } from "node:fs";
import { statFields } from "./stat-fields.ts";

/** Field 22 of `/proc/PID/stat` (clock ticks since boot, see proc(5)), or `null` where there is no such file. */
export function processStartTime(pid: number | "self"): string | null {
  try {
    return statFields(readFileSync(`/proc/${pid}/stat`, "utf8"))[19] ?? null;
  } catch {
    // No such process, or no /proc on this system: unknown is an answer.
    return null;
  }
}
