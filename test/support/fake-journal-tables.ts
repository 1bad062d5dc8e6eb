/** What the in-memory journal has "on disk". */
import type { ErrorReport } from "../../src/contract/errors.ts";
import type { JournalWrite, WriteResult } from "../../src/contract/journal.ts";
import type { JournalCounts } from "../../src/contract/journal-query.ts";

/** One message's row, whatever its state. */
export type DiskRow = {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  consumer: string;
  readonly header: string;
  readonly payload: Uint8Array;
  readonly atMs: number;
  state: "pending" | "acked" | "dead" | "gone";
  attempt: number;
  notBeforeMs: number;
  leased: boolean;
  reason: string;
  deadAtMs: number;
  error: ErrorReport | null;
};

const fresh: WriteResult = { duplicate: false, existingId: null };

/** The tables, with the meaning each write has in the contract. */
export class DiskTables {
  readonly rows = new Map<number, DiskRow>();
  readonly sends = new Map<string, { readonly id: string }>();
  readonly scopes = new Map<string, Map<string, string>>();
  readonly #known = new Map<string, number>();
  highestSeq = 0;

  /** One transaction. */
  apply(writes: readonly JournalWrite[]): WriteResult[] {
    return writes.map((write) => this.#apply(write));
  }

  counts(): JournalCounts {
    const deadByKey: Record<string, number> = {};
    const deadByConsumer: Record<string, number> = {};
    const unackedBytesByKey: Record<string, number> = {};
    const totals = { pending: 0, acked: 0, dead: 0, unackedBytes: 0, ackedBytes: 0 };
    for (const row of this.rows.values()) {
      if (row.state === "gone") continue;
      totals[row.state] += 1;
      if (row.state === "acked") totals.ackedBytes += row.payload.length;
      if (row.state === "acked") continue;
      totals.unackedBytes += row.payload.length;
      unackedBytesByKey[row.key] = (unackedBytesByKey[row.key] ?? 0) + row.payload.length;
      if (row.state !== "dead") continue;
      deadByKey[row.key] = (deadByKey[row.key] ?? 0) + 1;
      deadByConsumer[row.consumer] = (deadByConsumer[row.consumer] ?? 0) + 1;
    }
    const counts = { ...totals, bytes: totals.unackedBytes };
    return { ...counts, deadByKey, deadByConsumer, unackedBytesByKey };
  }

  #apply(write: JournalWrite): WriteResult {
    switch (write.op) {
      case "accept": {
        const known = this.#known.get(write.id);
        if (known !== undefined) return known === write.seq ? fresh : { duplicate: true, existingId: null };
        this.#known.set(write.id, write.seq);
        this.highestSeq = Math.max(this.highestSeq, write.seq);
        const { op: _op, ...row } = write;
        // Copied as a disk would: a caller that reuses its buffer must not change what is stored.
        const payload = new Uint8Array(write.payload);
        const rest = { attempt: 1, notBeforeMs: 0, reason: "", deadAtMs: 0, error: null };
        this.rows.set(write.seq, { ...row, payload, state: "pending", ...rest });
        return fresh;
      }
      case "lease":
        return this.#change(write.seq, "pending", { leased: true });
      case "ack":
        return this.#change(write.seq, "pending", { state: "acked" });
      case "nack": {
        const { attempt, notBeforeMs, error } = write;
        return this.#change(write.seq, "pending", { attempt, notBeforeMs, error });
      }
      case "bury":
        return this.#change(write.seq, "pending", { state: "dead", reason: write.reason, deadAtMs: write.atMs });
      case "revive":
        return this.#change(write.seq, "dead", { state: "pending", attempt: 1, notBeforeMs: 0 });
      case "discard":
        return this.#change(write.seq, "dead", { state: "gone" });
      case "assign":
        return this.#change(write.seq, "pending", { consumer: write.consumer });
      case "send": {
        const first = this.sends.get(write.send.idempotencyKey);
        if (first !== undefined) return { duplicate: true, existingId: first.id };
        this.sends.set(write.send.idempotencyKey, { id: write.send.id });
        return fresh;
      }
      case "put": {
        const scope = this.scopes.get(write.scope) ?? new Map<string, string>();
        this.scopes.set(write.scope, scope);
        if (write.value === null) scope.delete(write.key);
        else scope.set(write.key, write.value);
        return fresh;
      }
      case "sendState":
      case "releaseSends":
      case "mail":
      case "mailTaken":
      case "prune":
        break;
    }
    return fresh;
  }

  /** A write that names a row in another state changes nothing: it was done before. */
  #change(seq: number, from: DiskRow["state"], change: Partial<DiskRow>): WriteResult {
    const row = this.rows.get(seq);
    if (row?.state === from) Object.assign(row, change);
    return fresh;
  }
}
