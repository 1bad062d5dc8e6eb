/** Which adapter gets a host of its own because it was there, and suspect, when shared hosts died. Pure. */
import type { ThreadSample } from "../contract/protocol.ts";
import type { AdapterState, Isolation } from "../contract/status.ts";
import type { Placement } from "../contract/host.ts";
import { busyUtilization } from "./liveness.ts";
import { judgeMemory } from "./memory.ts";

/** Two host deaths within ten minutes. */
export const quarantineRule = { deaths: 2, windowMs: 600_000 } as const;

/** Parts of a split host are one again after so long without a death among them: 24 h. */
export const groupCalmMs = 86_400_000;

/** Why an adapter has a host of its own, and since when. */
export type Quarantine = { readonly reason: string; readonly sinceMs: number };

/** A placement as it is kept: a host of its own, or a part of a split one. */
export type RememberedPlacement = Quarantine | { readonly group: string; readonly sinceMs: number };

/** Where a generation should live. */
export function placementOf(isolation: Isolation, quarantine: Quarantine | null): Placement {
  switch (isolation) {
    case "process":
      return "own";
    case "thread":
      return "shared";
    case "auto":
      return quarantine === null ? "shared" : "own";
  }
}

/** What speaks against an adapter whose host has died, or `null`: it is an innocent. */
export function suspicionOf(
  state: AdapterState,
  lastSample: ThreadSample | null,
  memoryLimitMb: number,
): string | null {
  if (state === "starting") return "it was starting";
  if (state === "unkillable") return "its thread could not be ended";
  if (lastSample === null) return null;
  if (judgeMemory(lastSample.memory, memoryLimitMb) !== "fine") return "it was near its memory limit";
  const isInNativeCode =
    lastSample.utilization >= busyUtilization && lastSample.cpu === null && lastSample.memory === null;
  return isInNativeCode ? "it was blocked in native code" : null;
}

/** One more suspect death: those that still count, and the quarantine they come to. */
export function countSuspectDeath(
  deathsAtMs: readonly number[],
  nowMs: number,
  suspicion: string,
): { readonly deathsAtMs: readonly number[]; readonly quarantine: Quarantine | null } {
  const counted = [...deathsAtMs, nowMs].filter((atMs) => nowMs - atMs <= quarantineRule.windowMs);
  if (counted.length < quarantineRule.deaths) return { deathsAtMs: counted, quarantine: null };
  return {
    deathsAtMs: [],
    quarantine: { reason: `${counted.length} hosts died within ten minutes while ${suspicion}`, sinceMs: nowMs },
  };
}
