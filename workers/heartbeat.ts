/** Keeps a thread's heartbeat going: what it measures of itself, ten times a second. */
import { writeHeartbeat } from "../src/contract/heartbeat.ts";
import { every } from "../src/support/time.ts";

const periodMs = 100;
const windowBeats = 100;
/** Reading memory counters costs more than a beat: once a second. */
const memoryEveryBeats = 10;

/** Beats until disposed; a beat that comes late is what the loop's delay is measured by. */
export function startHeartbeat(memory: SharedArrayBuffer): Disposable {
  const delays: number[] = [];
  let beats = 0;
  let expectedMs = performance.now() + periodMs;
  let arrayBufferBytes = process.memoryUsage().arrayBuffers;
  writeHeartbeat(memory, { delayP99Ms: 0, arrayBufferBytes });
  return every(
    periodMs,
    () => {
      const nowMs = performance.now();
      delays[beats % windowBeats] = Math.max(0, nowMs - expectedMs);
      expectedMs = nowMs + periodMs;
      beats += 1;
      if (beats % memoryEveryBeats === 0) arrayBufferBytes = process.memoryUsage().arrayBuffers;
      writeHeartbeat(memory, { delayP99Ms: percentile99(delays), arrayBufferBytes });
    },
    // A beat reads two counters and writes shared memory: there is nothing in it that can fail halfway.
    () => {},
  );
}

function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0;
}
