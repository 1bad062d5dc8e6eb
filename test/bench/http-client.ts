/** The client's process: carries out one `LoadRequest` given as JSON and prints the `LoadResult`. */
import { sleep } from "../../src/support/time.ts";
import { HttpConversation } from "./http-conversation.ts";
import type { LoadRequest, LoadResult } from "./load.ts";
import { cpuSeconds } from "./process-usage.ts";
import { percentile } from "./statistics.ts";

/** Beyond it a message that was posted in time counts with the time it has waited. */
const longestTailMs = 20_000;

// Our own parent wrote it.
const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
const conversations = Array.from(
  { length: request.conversations },
  // A process of its own has rooms of its own: nothing of an earlier load is in them.
  (_, index) => new HttpConversation(`p${process.pid}-${index}`, request.ports[index % request.ports.length] ?? 0),
);

/** Due times of round trips under way. */
const open = new Set<{ readonly dueMs: number }>();
const waits: number[] = [];
let next = 0;
let completed = 0;
let measuredFromMs = Number.POSITIVE_INFINITY;
let measuredToMs = Number.POSITIVE_INFINITY;

async function roundTrip(dueMs: number): Promise<void> {
  const conversation = conversations[next % conversations.length];
  next += 1;
  const trip = { dueMs };
  open.add(trip);
  await conversation?.roundTrip();
  open.delete(trip);
  completed += 1;
  if (dueMs >= measuredFromMs && dueMs < measuredToMs) waits.push(performance.now() - dueMs);
}

async function keepInFlight(): Promise<void> {
  while (performance.now() < measuredToMs) await roundTrip(performance.now());
}

async function keepPace(perSecond: number): Promise<void> {
  const startMs = performance.now();
  for (let begun = 0; performance.now() < measuredToMs; await sleep(1))
    for (; startMs + (begun * 1000) / perSecond <= performance.now(); begun += 1)
      void roundTrip(startMs + (begun * 1000) / perSecond);
}

if ("perSecond" in request.pace) void keepPace(request.pace.perSecond);
else for (let line = 0; line < request.pace.inFlight; line += 1) void keepInFlight();

await sleep(request.warmUpSeconds * 1000);
measuredFromMs = performance.now();
const before = { completed, cpu: cpuSeconds(request.pids) };
await sleep(request.seconds * 1000);
measuredToMs = performance.now();
const seconds = (measuredToMs - measuredFromMs) / 1000;
const messages = completed - before.completed;
const usedSeconds = cpuSeconds(request.pids) - before.cpu;

while (open.size > 0 && performance.now() < measuredToMs + longestTailMs) await sleep(5);
for (const { dueMs } of open)
  if (dueMs >= measuredFromMs && dueMs < measuredToMs) waits.push(performance.now() - dueMs);

const result: LoadResult = {
  messagesPerSecond: messages / seconds,
  cpuMicrosecondsPerMessage: (usedSeconds / messages) * 1e6,
  p50Ms: percentile(waits, 0.5),
  p99Ms: percentile(waits, 0.99),
  maxMs: percentile(waits, 1),
  unanswered: open.size,
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));
