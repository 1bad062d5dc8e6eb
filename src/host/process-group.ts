/** A host's process group: the host, which leads it, and whatever its adapters and handlers have spawned. */
import { readdir, readFile } from "node:fs/promises";
import { errnoOf } from "../support/errno.ts";
import { sleep } from "../support/time.ts";
import { statFields } from "./stat-fields.ts";

const lookPeriodMs = 50;

/** Ends all of it at once. */
export function killGroup(groupId: number): void {
  signalGroup(groupId, "SIGKILL");
}

/**
 * SIGTERM, then SIGKILL when only the host is left, `graceMs` later at the latest. The host itself heeds no SIGTERM: it has
 * nothing left to do, and while it lives the group has somebody who ends it even if this process is killed meanwhile.
 */
export async function endGroup(groupId: number, graceMs: number): Promise<void> {
  signalGroup(groupId, "SIGTERM");
  const endMs = performance.now() + graceMs;
  while ((await hasOthers(groupId)) && performance.now() < endMs) await sleep(lookPeriodMs);
  signalGroup(groupId, "SIGKILL");
}

function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (reason) {
    // The whole group is gone already: that is what was wanted.
    if (errnoOf(reason) !== "ESRCH") throw reason;
  }
}

/** Whether anybody but its leader lives in it. Without /proc nobody is known of. */
async function hasOthers(groupId: number): Promise<boolean> {
  const names = await readdir("/proc").catch(() => []);
  const others = names.filter((name) => /^\d+$/u.test(name) && name !== String(groupId));
  return (await Promise.all(others.map((name) => livesIn(name, groupId)))).includes(true);
}

async function livesIn(pid: string, groupId: number): Promise<boolean> {
  // It may have ended since it was listed.
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, , group] = statFields(stat);
  return group === String(groupId) && state !== "Z";
}
