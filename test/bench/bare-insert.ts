/** The floor under every journal: the same rows into the same tables in a bare loop, one transaction per 64. */
import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalWrite } from "../../src/contract/journal.ts";
import { encodeMessage } from "../../workers/encode-message.ts";
import { JournalStore } from "../../workers/journal-store.ts";

const batch = 64;
const textBytes = 500;

/** Messages of 500 bytes a second, each group with full fsync, one process and one thread. */
export async function measureBareInsert(messages: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "bulkhead-bench-"));
  try {
    const writes = Array.from({ length: messages }, (_, index) => acceptWrite(index + 1));
    using store = JournalStore.open({
      path: join(directory, "journal.db"),
      durability: "full",
      check: "auto",
      maxPages: null,
    });
    const begunMs = performance.now();
    for (let start = 0; start < messages; start += batch) store.apply(writes.slice(start, start + batch));
    return (messages * 1000) / (performance.now() - begunMs);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function acceptWrite(seq: number): JournalWrite {
  const message = {
    id: `b${seq}`,
    conversation: `room-${seq % 16}`,
    sender: { id: "bench" },
    text: "x".repeat(textBytes),
  };
  const { header, payload } = encodeMessage(message, { key: "bench", platform: "bench" }, hash);
  return {
    op: "accept",
    seq,
    id: header.id,
    key: "bench",
    conversation: header.conversation,
    consumer: "main",
    header: JSON.stringify(header),
    payload,
    atMs: Date.now(),
    leased: false,
  };
}
