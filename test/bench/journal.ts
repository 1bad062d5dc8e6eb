/** How many messages a second the journal takes: the bare store in a loop, then through its thread. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JournalWrite } from "../../src/contract/journal.ts";
import { startJournal } from "../../src/journal/journal.ts";
import { entries } from "../../workers/catalog.ts";
import { JournalStore } from "../../workers/journal-store.ts";
import { silentLogger } from "../support/silent-logger.ts";

/** One measurement. */
export type JournalBenchRow = {
  readonly name: string;
  readonly messagesPerSecond: number;
  /** Of the whole process, both threads. */
  readonly cpuMicrosecondsPerMessage: number;
};

const batch = 64;
const producers = 8;
const header = JSON.stringify({ id: "m0123456789012345678901", conversation: "room-1", kind: "text", bytes: 220 });

/** Measures and prints; all with full fsync. `messages` per measurement. */
export async function runJournalBench(messages = 100_000): Promise<readonly JournalBenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
  try {
    const rows = [
      await measure("bare, accept", messages, (writes) => bare(join(directory, "a.db"), writes, false)),
      await measure("bare, accept + ack", messages, (writes) => bare(join(directory, "b.db"), writes, true)),
      await measure("thread, accept", messages, (writes) => threaded(join(directory, "c.db"), writes, batch, false)),
      await measure("thread, accept + ack", messages, (writes) =>
        threaded(join(directory, "d.db"), writes, batch, true),
      ),
      await measure("thread, one by one", messages / 10, (writes) =>
        threaded(join(directory, "e.db"), writes, 1, false),
      ),
    ];
    for (const row of rows)
      process.stdout.write(
        `journal: ${row.name.padEnd(22)} ${row.messagesPerSecond} messages/s, ${row.cpuMicrosecondsPerMessage} us CPU each\n`,
      );
    return rows;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  name: string,
  messages: number,
  run: (writes: readonly JournalWrite[]) => number | Promise<number>,
): Promise<JournalBenchRow> {
  const writes = Array.from({ length: messages }, (_, index) => accept(index + 1));
  const before = process.cpuUsage();
  const seconds = await run(writes);
  const { user, system } = process.cpuUsage(before);
  return {
    name,
    messagesPerSecond: Math.round(messages / seconds),
    cpuMicrosecondsPerMessage: Math.round((user + system) / messages),
  };
}

function accept(seq: number): JournalWrite {
  return {
    op: "accept",
    seq,
    id: `m${randomBytes(16).toString("base64url")}`,
    key: "webhook",
    conversation: `room-${seq % 100}`,
    consumer: "main",
    header,
    payload: new Uint8Array(220),
    atMs: 1_790_000_000_000,
    leased: true,
  };
}

/** The accepts from `start` on, and the acks of the batch before. */
function step(writes: readonly JournalWrite[], start: number, size: number, isAcking: boolean): JournalWrite[] {
  const accepts = writes.slice(start, start + size);
  if (!isAcking) return accepts;
  const acks = accepts.map((_, index): JournalWrite => ({ op: "ack", seq: start + index + 1 - size, atMs: 1 }));
  return [...accepts, ...acks];
}

function bare(path: string, writes: readonly JournalWrite[], isAcking: boolean): number {
  using store = JournalStore.open({ path, durability: "full", check: "auto", maxPages: null });
  const begun = performance.now();
  for (let start = 0; start < writes.length; start += batch) store.apply(step(writes, start, batch, isAcking));
  return (performance.now() - begun) / 1_000;
}

/** Each producer commits a batch, waits for it, and takes the next one. */
async function threaded(
  path: string,
  writes: readonly JournalWrite[],
  size: number,
  isAcking: boolean,
): Promise<number> {
  await using journal = await startJournal({
    path,
    durability: "full",
    groupCommitMs: 0,
    entryUrl: entries.journal,
    logger: silentLogger,
  });
  const begun = performance.now();
  let next = 0;
  const produce = async (): Promise<void> => {
    while (next < writes.length) {
      const start = next;
      next += size;
      await journal.commit(step(writes, start, size, isAcking));
    }
  };
  await Promise.all(Array.from({ length: producers }, produce));
  return (performance.now() - begun) / 1_000;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await runJournalBench();
