/** What the journal promises, in plain maps: the model its property test compares it with. */
import type { JournalWrite, SendRow, WriteResult } from "../../src/contract/journal.ts";
import type { JournalCounts, PendingRow } from "../../src/contract/journal-query.ts";

type Message = PendingRow & {
  readonly state: "pending" | "acked" | "dead";
  readonly header: string;
  readonly payload: Uint8Array;
  readonly error: unknown;
  readonly reason: string;
  readonly changedAtMs: number;
};
type Send = Omit<SendRow, "response"> & {
  readonly response: Uint8Array | null;
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly platformMessageId: string | null;
  readonly error: unknown;
  readonly changedAtMs: number;
};
type Letter = { readonly cursor: number; readonly key: string; readonly conversation: string; readonly atMs: number };

const fresh: WriteResult = { duplicate: false, existingId: null };

/** A journal without a disk. */
export class JournalModel {
  messages = new Map<number, Message>();
  known = new Map<string, { readonly seq: number; readonly atMs: number }>();
  sends = new Map<number, Send>();
  mail: readonly Letter[] = [];
  store = new Map<string, string>();

  apply(write: JournalWrite): WriteResult {
    switch (write.op) {
      case "accept": {
        const known = this.known.get(write.id);
        if (known !== undefined) return known.seq === write.seq ? fresh : { duplicate: true, existingId: null };
        this.known.set(write.id, { seq: write.seq, atMs: write.atMs });
        const { op: _op, ...row } = write;
        const stands = {
          state: "pending",
          attempt: 1,
          notBeforeMs: 0,
          error: null,
          reason: "",
          changedAtMs: 0,
        } as const;
        this.messages.set(write.seq, { ...row, ...stands, bytes: write.payload.length });
        return fresh;
      }
      case "lease":
        return this.#change(write.seq, "pending", { leased: true });
      case "ack":
        return this.#change(write.seq, "pending", { state: "acked", changedAtMs: write.atMs });
      case "nack":
        return this.#change(write.seq, "pending", {
          attempt: write.attempt,
          notBeforeMs: write.notBeforeMs,
          error: write.error,
        });
      case "bury":
        return this.#change(write.seq, "pending", { state: "dead", reason: write.reason, changedAtMs: write.atMs });
      case "revive":
        return this.#change(write.seq, "dead", { state: "pending", attempt: 1, notBeforeMs: 0, error: null });
      case "discard":
        if (this.messages.get(write.seq)?.state === "dead") this.messages.delete(write.seq);
        return fresh;
      case "assign":
        return this.#change(write.seq, "pending", { consumer: write.consumer });
      case "send":
        return this.#send(write.send);
      case "sendState": {
        const found = [...this.sends.values()].find((send) => send.id === write.id);
        if (found === undefined) return fresh;
        const { op: _op, id: _id, atMs: changedAtMs, ...changes } = write;
        const response = write.state === "confirmed" ? null : found.response;
        this.sends.set(found.seq, { ...found, ...changes, response, changedAtMs });
        return fresh;
      }
      case "releaseSends":
        for (const [seq, held] of this.sends)
          if (held.dueAtMs > 0 && held.dueAtMs <= write.upToMs && seq <= write.upToSeq)
            this.sends.set(seq, { ...held, atMs: held.dueAtMs, dueAtMs: 0 });
        return fresh;
      case "mail": {
        const { cursor, key, conversation, atMs } = write;
        if (!this.mail.some((letter) => letter.cursor === cursor))
          this.mail = [...this.mail, { cursor, key, conversation, atMs }].toSorted((a, b) => a.cursor - b.cursor);
        return fresh;
      }
      case "mailTaken":
        this.mail = this.mail.filter(
          ({ key, conversation, cursor }) =>
            key !== write.key || conversation !== write.conversation || cursor > write.upTo,
        );
        return fresh;
      case "put":
        if (write.value === null) this.store.delete(`${write.scope}/${write.key}`);
        else this.store.set(`${write.scope}/${write.key}`, write.value);
        return fresh;
      case "prune":
        break;
    }
    return this.#prune(write);
  }

  rows(state: Message["state"]): readonly Message[] {
    return [...this.messages.values()].filter((row) => row.state === state).toSorted((a, b) => a.seq - b.seq);
  }

  counts(): Omit<JournalCounts, "bytes"> {
    const bytesOf = (rows: readonly Message[]): number => rows.reduce((total, row) => total + row.bytes, 0);
    const [pending, acked, dead] = [this.rows("pending"), this.rows("acked"), this.rows("dead")];
    const unacked = [...pending, ...dead];
    const byKey = Object.groupBy(unacked, (row) => row.key);
    return {
      pending: pending.length,
      acked: acked.length,
      dead: dead.length,
      unackedBytes: bytesOf(unacked),
      ackedBytes: bytesOf(acked),
      deadByKey: Object.fromEntries(tally(dead.map((row) => row.key))),
      deadByConsumer: Object.fromEntries(tally(dead.map((row) => row.consumer))),
      unackedBytesByKey: Object.fromEntries(
        Object.entries(byKey).flatMap(([key, rows]) => (bytesOf(rows ?? []) === 0 ? [] : [[key, bytesOf(rows ?? [])]])),
      ),
    };
  }

  #change(seq: number, from: Message["state"], changes: Partial<Message>): WriteResult {
    const row = this.messages.get(seq);
    if (row?.state === from) this.messages.set(seq, { ...row, ...changes });
    return fresh;
  }

  #send(send: SendRow): WriteResult {
    const first = [...this.sends.values()].find((other) => other.idempotencyKey === send.idempotencyKey);
    if (first?.seq === send.seq) return fresh;
    if (first !== undefined) return { duplicate: true, existingId: first.id };
    const stands = { attempts: 0, nextAttemptAtMs: 0, platformMessageId: null, error: null, changedAtMs: send.atMs };
    this.sends.set(send.seq, { ...send, ...stands });
    return fresh;
  }

  #prune(write: Extract<JournalWrite, { op: "prune" }>): WriteResult {
    let bytesLeft = this.counts().ackedBytes;
    for (const row of this.rows("acked")) {
      if (row.changedAtMs >= write.ackedBeforeMs && bytesLeft <= write.ackedBytesOver) continue;
      bytesLeft -= row.bytes;
      this.messages.delete(row.seq);
    }
    for (const [id, { seq, atMs }] of this.known)
      if (atMs < write.knownBeforeMs && !this.messages.has(seq)) this.known.delete(id);
    for (const send of this.sends.values())
      if (send.changedAtMs < write.knownBeforeMs && send.state !== "queued" && send.state !== "attempted")
        this.sends.delete(send.seq);
    this.mail = this.mail.filter((letter) => letter.atMs >= write.mailBeforeMs);
    return fresh;
  }
}

function tally(names: readonly string[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const name of names) totals.set(name, (totals.get(name) ?? 0) + 1);
  return totals;
}
