/** When an adapter uses too much memory. Pure. V8 can abort the whole host at its limit, so both lines are far below it. */
import type { ThreadSample } from "../contract/protocol.ts";

const bytesPerMebibyte = 1_048_576;
/** Share of V8's limit at which an adapter is asked to stop and replaced. */
export const recycleShare = 0.4;
/** Share of V8's limit at which it is terminated at once. */
export const terminateShare = 0.5;

/** V8's limit for a thread, MiB: twice `memory_limit_mb`. */
export function heapLimitMb(memoryLimitMb: number): number {
  return memoryLimitMb * 2;
}

/** What to do about a sample. External memory includes array buffers. A sample without an answer says nothing about memory. */
export function judgeMemory(memory: ThreadSample["memory"], memoryLimitMb: number): "fine" | "recycle" | "terminate" {
  if (memory === null) return "fine";
  const share = (memory.heapBytes + memory.externalBytes) / (heapLimitMb(memoryLimitMb) * bytesPerMebibyte);
  if (share >= terminateShare) return "terminate";
  return share >= recycleShare ? "recycle" : "fine";
}

/** `memory_limit_mb` in bytes: where an adapter is terminated, and what status shows as its limit. */
export function memoryLimitBytes(memoryLimitMb: number): number {
  return memoryLimitMb * bytesPerMebibyte;
}
