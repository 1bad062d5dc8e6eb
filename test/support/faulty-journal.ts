/**
 * The journal's thread with faults: its port is watched, and the thread dies, or falls silent, at the given groups.
 * Given to startJournal as its entry; the faults come in a file, since each life of the thread starts from nothing.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { GatewayError } from "../../src/contract/errors.ts";
import type { FromJournalThread, JournalTask, ToJournalThread } from "../../src/contract/journal-wire.ts";
import runJournal from "../../workers/journal.ts";

/** What the thread does next, by life: the first entry is the first thread's. */
export type Fault =
  /** Dies when the nth group comes, before it is written. */
  | { readonly kind: "before"; readonly group: number }
  /** Dies when the nth group is written, before anyone hears of it. */
  | { readonly kind: "after"; readonly group: number }
  /** Answers nothing any more from the nth group on. */
  | { readonly kind: "hang"; readonly group: number }
  /** Finds its file damaged when the nth group comes; the next life finds it so. */
  | { readonly kind: "damage"; readonly group: number }
  | { readonly kind: "none" };

/** The file of faults beside a journal's file, one JSON line per life; used lives are marked in a second file. */
export function faultPaths(path: string): { readonly faults: string; readonly lives: string } {
  return { faults: `${path}.faults`, lives: `${path}.lives` };
}

export default async function runFaultyJournal(task: JournalTask & { readonly port: MessagePort }): Promise<void> {
  const { faults, lives } = faultPaths(task.path ?? "");
  appendFileSync(lives, "x");
  const life = readFileSync(lives, "utf8").length;
  const all = readFileSync(faults, "utf8").split("\n");
  const fault = JSON.parse(all[life - 1] || '{"kind":"none"}') as Fault;
  if ((JSON.parse(all[life - 2] || "{}") as Partial<Fault>).kind === "damage") damage(task.path ?? "");
  let groups = 0;
  const { port } = task;
  const post = port.postMessage.bind(port);
  port.postMessage = (message: FromJournalThread, transfer: never) => {
    if (message.kind === "done" && fault.kind === "after" && fault.group === groups) die();
    post(message, transfer);
  };
  port.on("message", (message: ToJournalThread) => {
    if (message.kind !== "group") return;
    groups += 1;
    if (fault.kind === "none" || fault.group !== groups) return;
    if (fault.kind === "before") die();
    if (fault.kind === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    if (fault.kind === "damage") {
      const error = new GatewayError("journal_unavailable", "database disk image is malformed");
      post({ kind: "failed", error: error.toReport(), isDamaged: true }, [] as never);
      port.close();
      die();
    }
  });
  await runJournal(task);
}

/** Leaves the file's first page: it still looks like a database. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xa5, 4_096));
}

/** Ends the thread at once: nothing after it is run, nothing is closed. */
function die(): never {
  process.exit(1);
}
