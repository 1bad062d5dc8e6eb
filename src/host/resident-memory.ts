/** How much memory a process holds, as the kernel tells it: one whose loop stands still, or that is stopped, does not tell. */
import { readFile } from "node:fs/promises";

/** `VmRSS` of `/proc/PID/status` (see proc(5)), bytes; `null` where there is no such file or its process has ended. */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/mu.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    // No such process, or no /proc on this system: unknown is an answer.
    return null;
  }
}
