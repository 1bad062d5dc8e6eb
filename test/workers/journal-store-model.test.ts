import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { ErrorReport } from "../../src/contract/errors.ts";
import { sendStates, type JournalWrite } from "../../src/contract/journal.ts";
import { JournalStore } from "../../workers/journal-store.ts";
import { JournalModel } from "../support/journal-model.ts";

const keys = ["webhook", "discord:ops"] as const;
const conversations = ["room-1", "room-2"] as const;
const consumers = ["main", "other"] as const;
const report: ErrorReport = {
  code: "internal",
  message: "broke",
  stack: null,
  retry: { kind: "never" },
  userAction: null,
};

/** A write whose numbers are still to be given: `target` picks one of those given so far. */
type Draft = {
  readonly op: JournalWrite["op"];
  readonly target: number;
  readonly choice: number;
  readonly atMs: number;
};
type Step =
  | { readonly kind: "commit"; readonly drafts: readonly Draft[] }
  /** The last commit once more, as after the death of the journal's thread. */
  | { readonly kind: "resend" }
  /** A commit whose last write cannot be done. */
  | { readonly kind: "fail"; readonly drafts: readonly Draft[] }
  | { readonly kind: "reopen" };

const draft: fc.Arbitrary<Draft> = fc.record({
  op: fc.constantFrom(
    ...(["accept", "accept", "accept", "lease", "ack", "ack", "nack", "bury", "bury", "revive", "discard"] as const),
    ...(["assign", "send", "send", "sendState", "releaseSends", "mail", "mail", "mailTaken", "put", "prune"] as const),
  ),
  target: fc.nat({ max: 11 }),
  choice: fc.nat({ max: 3 }),
  atMs: fc.nat({ max: 20 }),
});
const drafts = fc.array(draft, { minLength: 1, maxLength: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("commit" as const), drafts }) },
  { weight: 2, arbitrary: fc.constant({ kind: "resend" as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fail" as const), drafts }) },
  { weight: 1, arbitrary: fc.constant({ kind: "reopen" as const }) },
);

/** Gives drafts their numbers, as the coordinator would: each one above all before. */
class Numbers {
  seq = 0;
  sendSeq = 0;
  cursor: number;

  constructor(nextCursor: number) {
    this.cursor = nextCursor - 1;
  }

  write({ op, target, choice, atMs }: Draft): JournalWrite {
    // Of those given out: nobody speaks of a message before it was accepted.
    const seq = this.seq === 0 ? 1_000_000 : (target % this.seq) + 1;
    const key = keys[choice % 2] ?? "webhook";
    const conversation = conversations[target % 2] ?? "room-1";
    switch (op) {
      case "accept":
        this.seq += 1;
        return {
          op,
          seq: this.seq,
          id: `m${target}`,
          key,
          conversation,
          consumer: consumers[target % 2] ?? "main",
          header: `{"seq":${this.seq}}`,
          payload: new Uint8Array(choice).fill(this.seq),
          atMs,
          leased: choice === 1,
        };
      case "lease":
      case "revive":
      case "discard":
        return { op, seq };
      case "ack":
        return { op, seq, atMs };
      case "nack":
        return { op, seq, attempt: choice + 2, notBeforeMs: atMs, error: choice === 0 ? null : report };
      case "bury":
        return { op, seq, reason: `reason ${choice}`, atMs };
      case "assign":
        return { op, seq, consumer: consumers[choice % 2] ?? "main" };
      case "send": {
        this.sendSeq += 1;
        const idempotencyKey = `m${target}/0`;
        const response = Uint8Array.of(choice);
        return {
          op,
          send: {
            id: `s${this.sendSeq}`,
            seq: this.sendSeq,
            key,
            conversation,
            idempotencyKey,
            response,
            state: "queued",
            atMs,
            dueAtMs: choice === 0 ? target * 10 : 0,
          },
        };
      }
      case "sendState":
        return {
          op,
          id: `s${this.sendSeq === 0 ? "none" : (target % this.sendSeq) + 1}`,
          state: sendStates[choice] ?? "failed",
          attempts: choice,
          nextAttemptAtMs: atMs,
          platformMessageId: choice === 2 ? "p1" : null,
          error: choice === 3 ? report : null,
          atMs,
        };
      case "releaseSends":
        return { op, upToMs: target * 12, upToSeq: this.sendSeq - (choice === 3 ? 1 : 0) };
      case "mail":
        this.cursor += 1;
        return { op, cursor: this.cursor, key, conversation, response: Uint8Array.of(target), atMs };
      case "mailTaken":
        return { op, key, conversation, upTo: this.cursor - choice };
      case "put":
        return { op, scope: key, key: `k${target % 3}`, value: choice === 0 ? null : String(choice) };
      case "prune":
        break;
    }
    return { op, ackedBeforeMs: atMs, knownBeforeMs: target, mailBeforeMs: atMs, ackedBytesOver: choice * 3 };
  }
}

/** Everything that can be asked, so that nothing can differ unseen. */
function dump(store: JournalStore, lastSeq: number): unknown {
  const { bytes: _bytes, ...counts } = store.query("counts", {});
  const all = { afterSeq: 0, limit: 1_000 };
  const seqs = Array.from({ length: lastSeq }, (_, index) => index + 1);
  const lanes = keys.flatMap((key) => conversations.map((conversation) => ({ key, conversation })));
  return plain({
    counts,
    pending: store.query("pending", all),
    lanes: lanes.map((lane) => store.query("lane", { ...lane, ...all })),
    backlogs: keys.map((key) => store.query("backlog", { key, ...middle(lastSeq) })),
    dead: store.query("deadLetters", all),
    payloads: store.query("payloads", { seqs }),
    headers: store.query("headers", { seqs }),
    ids: seqs.map((seq) => store.query("message", { id: `m${seq}` })),
    openSends: keys.map((key) => store.query("openSends", { key, ...all })),
    held: [0, 60, 1_000].map((upToMs) => store.query("heldSends", { upToMs })),
    sends: seqs.map((seq) => store.query("send", { id: `s${seq}` })),
    mail: lanes.map((lane) => store.query("mail", { ...lane, after: 0, limit: 1_000 }).map((letter) => letter.cursor)),
    scopes: keys.map((scope) => store.query("scope", { scope })),
  });
}

/** Some of one consumer's. */
function middle(lastSeq: number) {
  return { consumer: "main", afterSeq: 2, upToSeq: lastSeq - 2, limit: 1_000 };
}

function dumpModel(model: JournalModel, lastSeq: number): unknown {
  const seqs = Array.from({ length: lastSeq }, (_, index) => index + 1);
  const lanes = keys.flatMap((key) => conversations.map((conversation) => ({ key, conversation })));
  const pendingRow = (row: ReturnType<JournalModel["rows"]>[number]) => {
    const { seq, id, key, conversation, consumer, attempt, notBeforeMs, leased, bytes, atMs } = row;
    return { seq, id, key, conversation, consumer, attempt, notBeforeMs, leased, bytes, atMs };
  };
  const isIn = (lane: { key: string; conversation: string }) => (row: { key: string; conversation: string }) =>
    row.key === lane.key && row.conversation === lane.conversation;
  const stored = seqs.map((seq) => model.messages.get(seq)).filter((row) => row !== undefined);
  return plain({
    counts: model.counts(),
    pending: model.rows("pending").map(pendingRow),
    lanes: lanes.map((lane) => model.rows("pending").filter(isIn(lane)).map(pendingRow)),
    backlogs: keys.map((key) => {
      const { consumer, afterSeq, upToSeq } = middle(lastSeq);
      return model
        .rows("pending")
        .filter((row) => row.key === key && row.consumer === consumer && row.seq > afterSeq && row.seq <= upToSeq)
        .map(pendingRow);
    }),
    dead: model
      .rows("dead")
      .map((row) => ({ ...pendingRow(row), reason: row.reason, deadAtMs: row.changedAtMs, error: row.error })),
    payloads: stored.map(({ seq, payload }) => ({ seq, payload })),
    headers: stored.map(({ seq, header }) => ({ seq, header })),
    ids: seqs.map((seq) => {
      const row = model.messages.get(model.known.get(`m${seq}`)?.seq ?? 0);
      return row === undefined ? null : { key: row.key, conversation: row.conversation, payload: row.payload };
    }),
    openSends: keys.map((key) =>
      [...model.sends.values()]
        .filter((send) => send.key === key && (send.state === "queued" || send.state === "attempted"))
        .filter((send) => send.response !== null && send.dueAtMs === 0)
        .map(({ platformMessageId: _platform, error: _error, ...send }) => send),
    ),
    held: [0, 60, 1_000].map((upToMs) => heldSends(model, upToMs)),
    sends: seqs.map((seq) => {
      const send = model.sends.get(seq);
      if (send === undefined) return null;
      const { changedAtMs: _changed, response: _response, ...row } = send;
      return row;
    }),
    mail: lanes.map((lane) => model.mail.filter(isIn(lane)).map((letter) => letter.cursor)),
    scopes: keys.map((scope) =>
      Object.fromEntries(
        [...model.store]
          .filter(([name]) => name.startsWith(`${scope}/`))
          .map(([name, value]) => [name.slice(scope.length + 1), value]),
      ),
    ),
  });
}

/** Who has held sends that are due, and when the next one is. */
function heldSends(model: JournalModel, upToMs: number) {
  const held = [...model.sends.values()].filter(({ dueAtMs }) => dueAtMs > 0);
  const byKey = Object.groupBy(
    held.filter(({ dueAtMs }) => dueAtMs <= upToMs),
    ({ key }) => key,
  );
  const due = Object.entries(byKey)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, sends = []]) => {
      const seqs = sends.map(({ seq }) => seq);
      return { key, firstSeq: Math.min(...seqs), lastSeq: Math.max(...seqs) };
    });
  const later = held.map(({ dueAtMs }) => dueAtMs).filter((dueAtMs) => dueAtMs > upToMs);
  return { due, nextDueAtMs: later.length === 0 ? null : Math.min(...later) };
}

/** Bytes as lists, objects without prototypes as objects. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return [...(value as Uint8Array)];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

/**
 * Left out is what no caller does: forgetting an id and accepting it in one group; speaking of a dead letter as if it
 * were pending, and then reviving or dropping it.
 */
function isRepeatable(writes: readonly JournalWrite[]): boolean {
  const ops = new Set(writes.map((write) => write.op));
  const hasPendingOp = (["lease", "ack", "nack", "bury", "assign"] as const).some((op) => ops.has(op));
  return !ops.has("prune") && !(hasPendingOp && (ops.has("revive") || ops.has("discard")));
}

function runSteps(steps: readonly Step[], path: string): void {
  const open = (): JournalStore => JournalStore.open({ path, durability: "normal", check: "auto", maxPages: null });
  let store = open();
  try {
    const model = new JournalModel();
    const numbers = new Numbers(store.opened.nextCursor);
    let last: readonly JournalWrite[] = [];
    for (const current of steps) {
      if (current.kind === "commit") {
        last = current.drafts.map((one) => numbers.write(one));
        assert.deepEqual(
          store.apply(last),
          last.map((write) => model.apply(write)),
        );
      } else if (current.kind === "resend") {
        if (isRepeatable(last)) store.apply(last);
      } else if (current.kind === "fail") {
        const bad = { op: "put", scope: "x", key: "y", value: {} } as unknown as JournalWrite;
        const { seq, sendSeq, cursor } = numbers;
        assert.throws(() => store.apply([...current.drafts.map((one) => numbers.write(one)), bad]));
        Object.assign(numbers, { seq, sendSeq, cursor });
      } else {
        store[Symbol.dispose]();
        store = open();
        // Never below a number that a row ever had; those of duplicates were never written.
        const rows = [...model.messages.keys(), ...[...model.known.values()].map((row) => row.seq)];
        assert.ok(store.opened.nextSeq > Math.max(0, ...rows));
        assert.ok(store.opened.nextSendSeq > Math.max(0, ...model.sends.keys()));
        assert.ok(store.opened.nextCursor > numbers.cursor);
      }
      assert.deepEqual(dump(store, 24), dumpModel(model, 24));
    }
  } finally {
    store[Symbol.dispose]();
  }
}

describe("JournalStore against its model", () => {
  it("answers every question as the model does, whatever was written, refused, sent again or reopened", () => {
    const directory = mkdtempSync(join(tmpdir(), "bulkhead-model-"));
    let run = 0;
    try {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), (steps) => {
          run += 1;
          runSteps(steps, join(directory, `${run}.db`));
        }),
        { numRuns: 120 },
      );
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
