/** Looks into a running thread from outside: what is on its heap, where its time goes. Written to a file, since it may be large. */
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Worker } from "node:worker_threads";
import type { InspectionArgs, InspectionMethod } from "../contract/protocol.ts";
import { sleep } from "../support/time.ts";

const fileMode = 0o600;

/**
 * Resolves when the file is there. `signal`: the thread is gone, or the time is up.
 * @throws what the thread or the file system says; the signal's reason.
 */
export async function inspectThread(
  worker: Worker,
  method: InspectionMethod,
  { path, seconds, signal }: InspectionArgs & { readonly signal: AbortSignal },
): Promise<void> {
  // A file that is not there yet: never into somebody else's.
  if (method === "heapSnapshot") {
    const snapshot = await worker.getHeapSnapshot();
    await pipeline(snapshot, createWriteStream(path, { flags: "wx", mode: fileMode }), { signal });
  } else {
    const profile = await worker.startCpuProfile();
    await sleep(seconds * 1000, signal);
    await writeFile(path, await profile.stop(), { flag: "wx", mode: fileMode, signal });
  }
}
