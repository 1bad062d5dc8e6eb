/** The journal's thread: one endless Piscina task that owns the store and answers one coordinator over a port. */
import type { MessagePort } from "node:worker_threads";
import { GatewayError } from "../src/contract/errors.ts";
import type { JournalWrite } from "../src/contract/journal.ts";
import {
  decodeGroup,
  packAnswer,
  type FromJournalThread,
  type JournalTask,
  type ToJournalThread,
} from "../src/contract/journal-wire.ts";
import { isDamage } from "./journal-error.ts";
import { JournalStore } from "./journal-store.ts";

type Group = Extract<ToJournalThread, { readonly kind: "group" }>;
type Query = Extract<ToJournalThread, { readonly kind: "query" }>;

/** Lives until it is told to close, its port closes, or its file fails it. */
export default async function runJournal(task: JournalTask & { readonly port: MessagePort }): Promise<void> {
  const { port } = task;
  const post = (message: FromJournalThread, bytes: Uint8Array<ArrayBuffer> | null = null): void =>
    port.postMessage(message, bytes === null ? [] : [bytes.buffer]);
  try {
    using store = JournalStore.open(task);
    const ended = Promise.withResolvers<void>();
    port.once("close", () => ended.resolve());
    port.on("message", (message: ToJournalThread) => {
      if (message.kind === "close") return ended.resolve();
      try {
        handle(store, message, post);
      } catch (reason) {
        ended.reject(reason);
      }
    });
    post({ kind: "opened", opened: store.opened });
    await ended.promise;
  } catch (reason) {
    const error = GatewayError.from(reason);
    post({ kind: "failed", error: error.toReport(), isDamaged: isDamage(error.cause) });
  } finally {
    port.close();
  }
}

type Post = (message: FromJournalThread, bytes?: Uint8Array<ArrayBuffer> | null) => void;

/** @throws what the store cannot go on after. */
function handle(store: JournalStore, message: Exclude<ToJournalThread, { readonly kind: "close" }>, post: Post): void {
  switch (message.kind) {
    case "group":
      return post(writeGroup(store, message));
    case "query":
      return answer(store, message, post);
    case "probe": {
      const refusal = attempt(() => store.probe());
      return post(refusal === null ? { kind: "probed" } : { kind: "refused", number: null, error: refusal.toReport() });
    }
  }
}

function writeGroup(store: JournalStore, { number, sizes, writes, bytes }: Group): FromJournalThread {
  const decoded = decodeGroup(writes, bytes);
  const duplicates: { index: number; existingId: string | null }[] = [];
  const apply = (part: readonly JournalWrite[], start: number): void => {
    for (const [index, result] of store.apply(part).entries())
      if (result.duplicate) duplicates.push({ index: start + index, existingId: result.existingId });
  };
  const refusal = attempt(() => apply(decoded, 0));
  if (refusal === null) return { kind: "done", number, duplicates, failures: [] };
  if (refusal.code === "journal_unavailable") return { kind: "refused", number, error: refusal.toReport() };
  // One commit's fault: each gets a transaction of its own, so that only the faulty one fails.
  const failures: { commit: number; error: ReturnType<GatewayError["toReport"]> }[] = [];
  let start = 0;
  for (const [commit, size] of sizes.entries()) {
    const first = start;
    const failure = attempt(() => apply(decoded.slice(first, first + size), first));
    if (failure !== null) failures.push({ commit, error: failure.toReport() });
    start += size;
  }
  return { kind: "done", number, duplicates, failures };
}

function answer(store: JournalStore, { number, name, args }: Query, post: Post): void {
  const refusal = attempt(() => {
    // The coordinator's types bind name and arguments together; a union of them cannot say so here.
    const packed = packAnswer(name, store.query(name, args as never));
    post({ kind: "answer", number, ...packed }, packed.bytes);
  });
  if (refusal !== null) post({ kind: "unanswered", number, error: refusal.toReport() });
}

/** What `act` failed with, or `null`. @throws what cannot be a refusal: damage, and a store that could not roll back. */
function attempt(act: () => void): GatewayError | null {
  try {
    act();
    return null;
  } catch (reason) {
    if (reason instanceof GatewayError && !isDamage(reason.cause)) return reason;
    throw reason;
  }
}
