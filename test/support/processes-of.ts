/** The processes of a gateway as the kernel lists them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One process. `isZombie`: it has ended, only nobody has asked for its exit code yet. */
export type FoundProcess = { readonly pid: number; readonly command: string; readonly isZombie: boolean };

/** Every process that works in `dir` or below: a gateway started there, and all it started. */
export function processesOf(dir: string): readonly FoundProcess[] {
  return readdirSync("/proc").flatMap((name): FoundProcess[] => {
    if (!/^\d+$/u.test(name)) return [];
    try {
      if (!`${readlinkSync(`/proc/${name}/cwd`)}/`.startsWith(`${dir}/`)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const state = /\) (\S)/u.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1];
      return [{ pid: Number(name), command, isZombie: state === "Z" }];
    } catch {
      // It ended while we looked, or is not ours to look at.
      return [];
    }
  });
}

/** Resident memory of a process, bytes; 0 once it is gone. */
export function rssBytesOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
