/** One accepted message that is not done, as lanes and the dispatcher carry it. */
import type { PendingRow } from "../contract/journal-query.ts";
import type { RoutingHeader } from "../contract/message.ts";

/** Its state, changed in place: there is one of these for every message under way. */
export type Entry = {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  /** Length of the payload, which may not be in memory. */
  readonly bytes: number;
  readonly atMs: number;
  consumer: string;
  attempt: number;
  notBeforeMs: number;
  /** The journal knows it was handed out; no second lease write is needed. */
  isLeasedOnDisk: boolean;
  /** It may have been handed out before. */
  isRedelivered: boolean;
  /** Times it was given back unhandled. */
  releases: number;
  /** `null`: read from the journal when it is handed out. */
  payload: Uint8Array | null;
  /** In memory together with the payload; `null` beside one: it cannot be read. */
  header: RoutingHeader | null;
};

/** A row of the journal as an entry, its payload left on disk. */
export function entryOf(row: PendingRow): Entry {
  return {
    seq: row.seq,
    id: row.id,
    key: row.key,
    conversation: row.conversation,
    bytes: row.bytes,
    atMs: row.atMs,
    consumer: row.consumer,
    attempt: row.attempt,
    notBeforeMs: row.notBeforeMs,
    isLeasedOnDisk: row.leased,
    isRedelivered: row.leased || row.attempt > 1,
    releases: 0,
    payload: null,
    header: null,
  };
}

/**
 * `payload` in memory of its own size: a view of a few bytes would keep its whole frame alive. A view that is most of
 * its frame stays one.
 */
export function detachPayload(payload: Uint8Array): Uint8Array {
  return payload.byteLength * 2 >= payload.buffer.byteLength ? payload : new Uint8Array(payload);
}

/** Whether it must wait. One that was accepted in the future does not: the clock was put back since, and nobody knows any more when it is due. */
export function isDelayed({ notBeforeMs, atMs }: Entry, nowMs: number): boolean {
  return notBeforeMs > nowMs && atMs <= nowMs;
}
