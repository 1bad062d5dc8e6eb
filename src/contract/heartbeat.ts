/**
 * What a thread tells about itself through shared memory, so that its host can read it while the thread hangs.
 * Four 64-bit slots: time of the last beat, p99 of the loop's delay, array buffer bytes, reserved.
 */

/** The same for all threads of a process, which each have an own beginning of `performance.now()`. */
function monotonicMs(): bigint {
  return process.hrtime.bigint() / 1_000_000n;
}

/** Bytes of the shared memory. */
export const heartbeatBytes = 32;

/** What a host reads. Times in milliseconds. */
export type Heartbeat = { readonly ageMs: number; readonly delayP99Ms: number; readonly arrayBufferBytes: number };

/** The thread's side: writes a beat. `delayP99Ms` is kept to a microsecond. */
export function writeHeartbeat(
  memory: SharedArrayBuffer,
  beat: { readonly delayP99Ms: number; readonly arrayBufferBytes: number },
): void {
  const slots = new BigInt64Array(memory);
  Atomics.store(slots, 1, BigInt(Math.round(beat.delayP99Ms * 1000)));
  Atomics.store(slots, 2, BigInt(beat.arrayBufferBytes));
  Atomics.store(slots, 0, monotonicMs());
}

/** The host's side. A thread that has not beaten yet has age 0: it is not late before it began. */
export function readHeartbeat(memory: SharedArrayBuffer): Heartbeat {
  const slots = new BigInt64Array(memory);
  const last = Number(Atomics.load(slots, 0));
  return {
    ageMs: last === 0 ? 0 : Math.max(0, Number(monotonicMs()) - last),
    delayP99Ms: Number(Atomics.load(slots, 1)) / 1000,
    arrayBufferBytes: Number(Atomics.load(slots, 2)),
  };
}
