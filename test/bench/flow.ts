/** What one message costs the coordinator in the flow stage: accept, lease, settle, with a journal that costs nothing. */
import type { ConsumerPort, Delivery } from "../../src/contract/delivery.ts";
import type { Journal, JournalWrite, WriteResult } from "../../src/contract/journal.ts";
import type { JournalCounts } from "../../src/contract/journal-query.ts";
import type { RoutingHeader } from "../../src/contract/message.ts";
import { parseDataMeta } from "../../src/flow/data-frame.ts";
import { createFlow } from "../../src/flow/flow.ts";
import { silentLogger } from "../support/silent-logger.ts";

/** How much is sent. */
export type FlowBenchOptions = {
  readonly messages: number;
  readonly adapters: number;
  readonly conversations: number;
  readonly frameMessages: number;
  readonly payloadBytes: number;
};

/** Most messages that wait: more would be read back from a disk that is not there. */
const backlogMessages = 8_192;

/** What it cost. */
export type FlowBenchResult = { readonly messages: number; readonly microsecondsPerMessage: number };

const fresh: WriteResult = { duplicate: false, existingId: null };
const noCounts: JournalCounts = {
  pending: 0,
  acked: 0,
  dead: 0,
  unackedBytes: 0,
  ackedBytes: 0,
  bytes: 0,
  deadByKey: {},
  deadByConsumer: {},
  unackedBytesByKey: {},
};

/** Everything is on disk a turn of the loop later; nothing is ever found again. */
function costlessJournal(): Journal {
  const journal = {
    opened: { nextSeq: 1, nextSendSeq: 1, nextCursor: 1, setAsidePath: null },
    trouble: null,
    onTrouble: () => {},
    commit: (writes: readonly JournalWrite[]) => {
      const { promise, resolve } = Promise.withResolvers<readonly WriteResult[]>();
      setImmediate(() => resolve(Array.from(writes, () => fresh)));
      return promise;
    },
    query: (name: string) => Promise.resolve(name === "counts" ? noCounts : []),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  // Only the two questions asked at a start are answered; the rest of the contract is not reached here.
  return journal;
}

/** Runs it, frames in as fast as they are accepted, and measures this process's CPU time. */
export async function runFlowBench(options: Partial<FlowBenchOptions> = {}): Promise<FlowBenchResult> {
  const { messages = 200_000, adapters = 4, conversations = 500, frameMessages = 32, payloadBytes = 400 } = options;
  await using flow = await createFlow({
    journal: costlessJournal(),
    replies: { reply: () => ({ writes: [], written: () => {} }) },
    router: { bindings: [], defaultConsumer: "main", adapterAuthority: {} },
    consumers: ["main"],
    maxBytes: () => 2_147_483_648,
    logger: silentLogger,
    random: Math.random,
    now: () => performance.timeOrigin + performance.now(),
  });
  const done = Promise.withResolvers<void>();
  let settledMessages = 0;
  const port: ConsumerPort = {
    name: "main",
    expire: () => {},
    deliver(deliveries: readonly Delivery[]) {
      setImmediate(() => {
        settledMessages += deliveries.length;
        const acks = deliveries.map(({ receipt }) => ({ receipt, outcome: { kind: "ack" }, reply: null }) as const);
        void line.settle(acks);
        if (settledMessages === messages) done.resolve();
        for (const key of idle.splice(0)) send(key);
      });
    },
  };
  const line = flow.dispatcher.attach(port, { concurrency: 256, timeoutMs: 30_000, maxAttempts: 5 });

  let sent = 0;
  const body = new Uint8Array(frameMessages * payloadBytes);
  const idle: string[] = [];
  /** One adapter: the next frame when the last but one was accepted and the backlog is short. */
  const send = (key: string): void => {
    if (sent >= messages) return;
    if (sent - settledMessages > backlogMessages) {
      idle.push(key);
      return;
    }
    const count = Math.min(frameMessages, messages - sent);
    const headers: RoutingHeader[] = [];
    for (let index = 0; index < count; index += 1) {
      const id = `m${String(sent + index).padStart(22, "0")}`;
      const conversation = `room-${(sent + index * 7) % conversations}`;
      headers.push({ id, conversation, kind: "text", senderId: "u1", bytes: payloadBytes, routing: { chatId: "c1" } });
    }
    sent += count;
    const frameBody = body.slice(0, count * payloadBytes);
    const meta = parseDataMeta({ frame: 1, headers }, frameBody.length);
    flow.receive({ key, meta, body: frameBody, settle: () => send(key) });
  };
  const before = process.cpuUsage();
  for (let adapter = 0; adapter < adapters; adapter += 1) {
    send(`webhook:a${adapter}`);
    send(`webhook:a${adapter}`);
  }
  await done.promise;
  const used = process.cpuUsage(before);
  return { messages, microsecondsPerMessage: (used.user + used.system) / messages };
}

if (import.meta.main) {
  await runFlowBench({ messages: 20_000 });
  for (const frameMessages of [1, 32, 256]) console.log(frameMessages, await runFlowBench({ frameMessages }));
}
