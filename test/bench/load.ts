/** What a load on webhook adapters is and comes to; made in a process of its own, see `http-client.ts`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** A load. */
export type LoadRequest = {
  /** Conversations are spread over these adapters. */
  readonly ports: readonly number[];
  readonly conversations: number;
  /** So many round trips at once, or so many begun each second whatever became of the earlier ones. */
  readonly pace: { readonly inFlight: number } | { readonly perSecond: number };
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Whose CPU time is counted. */
  readonly pids: readonly number[];
};

/** What was measured between the warm-up and the end. */
export type LoadResult = {
  readonly messagesPerSecond: number;
  readonly cpuMicrosecondsPerMessage: number;
  /** From the moment a message was due to its reply. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Round trips that had not come to their end long after. */
  readonly unanswered: number;
};

const clientPath = fileURLToPath(new URL("./http-client.ts", import.meta.url));

/** Puts a load on running adapters. */
export async function runLoad(request: LoadRequest): Promise<LoadResult> {
  const child = spawn(process.execPath, [clientPath, JSON.stringify(request)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`The client ended with ${String(code)}`);
  return JSON.parse(output) as LoadResult;
}
