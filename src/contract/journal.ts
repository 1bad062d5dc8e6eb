/**
 * The durable store under the fan-in, as both sides of its thread see it. Every write says the state to reach, not a
 * step towards it, so that a group sent again after the thread died changes nothing twice.
 */
import type { ErrorReport } from "./errors.ts";
import type { JournalQueries, JournalQuery } from "./journal-query.ts";

/** One write. A commit's writes are one transaction: all or none. */
export type JournalWrite =
  /** A message an adapter emitted. A known `id` (kept 26 h apart from the rows) makes it a duplicate. */
  | {
      readonly op: "accept";
      /** Rises by one with every message the coordinator takes; also the order of delivery. */
      readonly seq: number;
      readonly id: string;
      readonly key: string;
      readonly conversation: string;
      readonly consumer: string;
      /** The RoutingHeader as JSON, for routing again when a consumer goes away. */
      readonly header: string;
      readonly payload: Uint8Array;
      readonly atMs: number;
      /** Handed out the moment it is on disk. */
      readonly leased: boolean;
    }
  /** Handed out: after a crash it comes again as `redelivered`. */
  | { readonly op: "lease"; readonly seq: number }
  /** Done. The row stays for replay until it is pruned. */
  | { readonly op: "ack"; readonly seq: number; readonly atMs: number }
  /** Not done: attempt number `attempt` may begin at `notBeforeMs`. */
  | {
      readonly op: "nack";
      readonly seq: number;
      readonly attempt: number;
      readonly notBeforeMs: number;
      readonly error: ErrorReport | null;
    }
  /** A dead letter. */
  | { readonly op: "bury"; readonly seq: number; readonly reason: string; readonly atMs: number }
  /** A dead letter tried again, from attempt 1. */
  | { readonly op: "revive"; readonly seq: number }
  /** A dead letter dropped for good. */
  | { readonly op: "discard"; readonly seq: number }
  /** A pending message given to another consumer. */
  | { readonly op: "assign"; readonly seq: number; readonly consumer: string }
  /** An outbound send. A known idempotency key makes it a duplicate; the result names the first one's id. */
  | { readonly op: "send"; readonly send: SendRow }
  | {
      readonly op: "sendState";
      readonly id: string;
      readonly state: SendState;
      readonly attempts: number;
      readonly nextAttemptAtMs: number;
      readonly platformMessageId: string | null;
      readonly error: ErrorReport | null;
      readonly atMs: number;
    }
  /** Sends that were held until a time up to `upToMs` may go now; none with a number above `upToSeq` is meant. */
  | { readonly op: "releaseSends"; readonly upToMs: number; readonly upToSeq: number }
  /** A reply for a client that fetches. At most 1,000 per conversation: the oldest go. */
  | {
      readonly op: "mail";
      readonly cursor: number;
      readonly key: string;
      readonly conversation: string;
      /** The Response as JSON. */
      readonly response: Uint8Array;
      readonly atMs: number;
    }
  /** What is up to and including `upTo` has been fetched. */
  | { readonly op: "mailTaken"; readonly key: string; readonly conversation: string; readonly upTo: number }
  /** Small durable state: `resume`, `backoff`, `budget`, `placement`, `generation`, … `null` removes. */
  | { readonly op: "put"; readonly scope: string; readonly key: string; readonly value: string | null }
  /**
   * Removes what retention no longer keeps, a bounded slice at a time: acked messages that were acked before
   * `ackedBeforeMs`, and the oldest ones while their payloads come to more than `ackedBytesOver`; ids and finished
   * sends from before `knownBeforeMs`; mail from before `mailBeforeMs`.
   */
  | {
      readonly op: "prune";
      readonly ackedBeforeMs: number;
      readonly knownBeforeMs: number;
      readonly mailBeforeMs: number;
      readonly ackedBytesOver: number;
    };

/** Where an outbound send is. `unknown`: attempted, and the answer never came. */
export const sendStates = ["queued", "attempted", "confirmed", "unknown", "failed"] as const;
/** One of {@link sendStates}. */
export type SendState = (typeof sendStates)[number];

/** One outbound send. */
export type SendRow = {
  readonly id: string;
  /** Rises with each send: the order within a conversation. */
  readonly seq: number;
  readonly key: string;
  readonly conversation: string;
  readonly idempotencyKey: string;
  /** The Response as JSON; empty once it is confirmed. */
  readonly response: Uint8Array;
  readonly state: SendState;
  /** When it was made; once it was held, when it was due. */
  readonly atMs: number;
  /** Held until then; 0: not held. */
  readonly dueAtMs: number;
};

/** What a write came to: `existingId` is the first send's id for a duplicate `send`, else `null`. */
export type WriteResult = { readonly duplicate: boolean; readonly existingId: string | null };

/** What the journal found when it opened. */
export type JournalOpened = {
  /** The next free numbers. */
  readonly nextSeq: number;
  readonly nextSendSeq: number;
  readonly nextCursor: number;
  /** The oldest mail that waits, `null` for none; left out where nobody looked. */
  readonly oldestCursor?: number | null;
  /** The path a corrupt file was moved to, or `null`. */
  readonly setAsidePath: string | null;
};

/** The journal as the coordinator's stages see it. */
export interface Journal extends AsyncDisposable {
  readonly opened: JournalOpened;
  /**
   * One transaction, grouped with whatever else waits. Resolves when it is on disk (or, in memory mode, done).
   * Survives the death of the journal's thread: the group is sent again to the next one.
   * @throws {GatewayError} `journal_unavailable` when it cannot be written; none of its writes then happened.
   */
  commit(writes: readonly JournalWrite[]): Promise<readonly WriteResult[]>;
  /** @throws {GatewayError} `journal_unavailable`. */
  query<Name extends JournalQuery>(
    name: Name,
    args: JournalQueries[Name]["args"],
  ): Promise<JournalQueries[Name]["answer"]>;
  /** `null` while it works, else why it does not; for `journal_unavailable` and `/readyz`. */
  readonly trouble: string | null;
  /** Called whenever {@link Journal.trouble} changes. */
  onTrouble(listener: (trouble: string | null) => void): void;
}
