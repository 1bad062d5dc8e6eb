/** A send's row as it begins, and the write that says where it is. */
import { randomUUID } from "node:crypto";
import type { ErrorReport } from "../contract/errors.ts";
import type { JournalWrite, SendRow, SendState } from "../contract/journal.ts";
import { steadyNow } from "../support/time.ts";

/** What goes with a state; what is left out is 0 or `null`. */
export type SendStateDetails = {
  readonly attempts?: number;
  readonly nextAttemptAtMs?: number;
  readonly platformMessageId?: string | null;
  readonly error?: ErrorReport | null;
};

/** `row` is now in `state`. */
export function stateWrite(row: SendRow, state: SendState, details: SendStateDetails): JournalWrite {
  return {
    op: "sendState",
    id: row.id,
    state,
    attempts: details.attempts ?? 0,
    nextAttemptAtMs: details.nextAttemptAtMs ?? 0,
    platformMessageId: details.platformMessageId ?? null,
    error: details.error ?? null,
    atMs: steadyNow(),
  };
}

/** A send that nobody has attempted yet. */
export function newSend(
  seq: number,
  place: { readonly key: string; readonly conversation: string },
  content: { readonly response: Uint8Array; readonly idempotencyKey: string; readonly dueAtMs: number },
): SendRow {
  const { key, conversation } = place;
  const { response, idempotencyKey, dueAtMs } = content;
  return {
    id: `s${randomUUID()}`,
    seq,
    key,
    conversation,
    idempotencyKey,
    response,
    state: "queued",
    atMs: steadyNow(),
    dueAtMs,
  };
}
