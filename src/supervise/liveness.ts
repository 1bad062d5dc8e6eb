/** Is it hung, is its transport dead? Pure: samples and clocks in, a verdict out. Quiet is not dead, and unknown is not healthy. */
import type { ThreadSample } from "../contract/protocol.ts";

/** Above this the thread did nothing but work since the last sample. A healthy thread reads 1.0 on a crowded machine too. */
export const busyUtilization = 0.98;
/** Samples in a row that must agree: one alone proves nothing. */
export const hangSampleCount = 3;
/** The most one sample may add to the evidence. They come every 250 ms: what is beyond is the sampler's or the host's own stall. */
export const longestStepMs = 1000;

/** What the samples of one generation have proved so far. */
export type HangWatch = {
  readonly sampleCount: number;
  /** The heartbeat's age in the last sample. */
  readonly heartbeatAgeMs: number;
  /** For how long, stalls of the sampler deducted, it was busy without a heartbeat. */
  readonly provenMs: number;
};

/** Nothing is proved. */
export const calmWatch: HangWatch = { sampleCount: 0, heartbeatAgeMs: 0, provenMs: 0 };

/**
 * One more sample. `isHung` once the thread was busy and its heartbeat still for `hangAfterMs`, seen by at least three samples in a
 * row. A host that was stopped for a minute adds one second, because both clocks stood still with it.
 */
export function watchForHang(
  watch: HangWatch,
  sample: Pick<ThreadSample, "utilization" | "heartbeatAgeMs">,
  hangAfterMs: number,
): { readonly watch: HangWatch; readonly isHung: boolean } {
  if (sample.utilization < busyUtilization) return { watch: calmWatch, isHung: false };
  const stepMs = sample.heartbeatAgeMs - watch.heartbeatAgeMs;
  const hasBeaten = watch.sampleCount > 0 && stepMs < 0;
  const before = hasBeaten ? calmWatch : watch;
  const addedMs = Math.min(longestStepMs, before.sampleCount === 0 ? sample.heartbeatAgeMs : stepMs);
  const next: HangWatch = {
    sampleCount: before.sampleCount + 1,
    heartbeatAgeMs: sample.heartbeatAgeMs,
    provenMs: before.provenMs + addedMs,
  };
  // What is proved is never more than the age itself, so a beat that fell between two samples far apart proves nothing false.
  return { watch: next, isHung: next.sampleCount >= hangSampleCount && next.provenMs >= hangAfterMs };
}

/** What a hung thread is doing, as far as its last sample tells. Native code leaves the questions for CPU and memory unanswered. */
export function describeHang(sample: Pick<ThreadSample, "heartbeatAgeMs" | "cpu" | "memory">): string {
  const where = sample.cpu === null && sample.memory === null ? "blocked in native code" : "spinning in JavaScript";
  return `Event loop still for ${Math.round(sample.heartbeatAgeMs / 1000)} s, ${where}`;
}

/** While a library reconnects by itself it gets this many times its own maximum silence, and at least five minutes. */
const reconnectingFactor = 5;
const reconnectingLeastMs = 300_000;

/** Milliseconds of silence of its transport after which it counts as dead; `null`: it has no frames to miss. */
export function silenceLimitMs(maxSilenceMs: number, state: "running" | "reconnecting"): number | null {
  if (maxSilenceMs <= 0) return null;
  return state === "running" ? maxSilenceMs : Math.max(reconnectingLeastMs, maxSilenceMs * reconnectingFactor);
}

/** The transport has been silent for longer than its adapter declared possible. */
export function isTransportSilent(lastFrameAtMs: number, nowMs: number, limitMs: number | null): boolean {
  return limitMs !== null && nowMs - lastFrameAtMs > limitMs;
}
