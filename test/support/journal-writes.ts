/** Journal writes with every field given. */
import type { JournalWrite, SendRow } from "../../src/contract/journal.ts";

type Accept = Extract<JournalWrite, { readonly op: "accept" }>;

/** A message that came in; its id is `m` and its seq unless given. */
export function accept(seq: number, fields: Partial<Accept> = {}): Accept {
  return {
    op: "accept",
    seq,
    id: `m${seq}`,
    key: "webhook",
    conversation: "room-1",
    consumer: "main",
    header: "{}",
    payload: new TextEncoder().encode(`payload ${seq}`),
    atMs: 1_000 + seq,
    leased: false,
    ...fields,
  };
}

/** An outbound send; its id is `s` and its seq unless given. */
export function send(seq: number, fields: Partial<SendRow> = {}): JournalWrite {
  return {
    op: "send",
    send: {
      id: `s${seq}`,
      seq,
      key: "discord",
      conversation: "42",
      idempotencyKey: `m${seq}/0`,
      response: Uint8Array.of(seq % 256),
      state: "queued",
      atMs: 1_000 + seq,
      dueAtMs: 0,
      ...fields,
    },
  };
}

/** A send's new state. */
export function sendState(
  id: string,
  fields: Partial<Extract<JournalWrite, { readonly op: "sendState" }>> = {},
): JournalWrite {
  return {
    op: "sendState",
    id,
    state: "confirmed",
    attempts: 1,
    nextAttemptAtMs: 0,
    platformMessageId: "p1",
    error: null,
    atMs: 5_000,
    ...fields,
  };
}

/** A reply that waits to be fetched. */
export function mail(
  cursor: number,
  fields: Partial<Extract<JournalWrite, { readonly op: "mail" }>> = {},
): JournalWrite {
  return {
    op: "mail",
    cursor,
    key: "webhook",
    conversation: "room-1",
    response: Uint8Array.of(cursor % 256),
    atMs: 1_000,
    ...fields,
  };
}

/** A prune that removes nothing unless told to. */
export function prune(fields: Partial<Extract<JournalWrite, { readonly op: "prune" }>> = {}): JournalWrite {
  return {
    op: "prune",
    ackedBeforeMs: 0,
    knownBeforeMs: 0,
    mailBeforeMs: 0,
    ackedBytesOver: Number.POSITIVE_INFINITY,
    ...fields,
  };
}
