/**
 * The durable store under the fan-in, as both sides of its thread see it. Every write says the state to reach, not a
 * step towards it, so that a group sent again after the thread died changes nothing twice.
 */
import type { ErrorReport } from "./errors.ts";

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

/** A message that waits for its consumer. */
export type PendingRow = {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  readonly consumer: string;
  readonly attempt: number;
  readonly notBeforeMs: number;
  /** It was handed out before. */
  readonly leased: boolean;
  readonly bytes: number;
  readonly atMs: number;
};

/** A dead letter in a list; `GET /v1/dead-letters/{id}` adds the message. */
export type DeadLetterRow = PendingRow & {
  readonly reason: string;
  readonly deadAtMs: number;
  readonly error: ErrorReport | null;
};

/** Counts by runtime key and by consumer, kept by the journal as it writes. Bytes are of payloads, but for `bytes`. */
export type JournalCounts = {
  readonly pending: number;
  readonly acked: number;
  readonly dead: number;
  /** Of pending messages and dead letters: what retention may not prune. */
  readonly unackedBytes: number;
  /** Of acked messages that are still there for replay. */
  readonly ackedBytes: number;
  /** On disk, free pages left out. */
  readonly bytes: number;
  readonly deadByKey: Readonly<Record<string, number>>;
  readonly deadByConsumer: Readonly<Record<string, number>>;
  readonly unackedBytesByKey: Readonly<Record<string, number>>;
};

/** A send as it stands. */
export type SendStatusRow = Omit<SendRow, "response"> & {
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly platformMessageId: string | null;
  readonly error: ErrorReport | null;
};

type Page = { readonly afterSeq: number; readonly limit: number };

/** Every question and the type of its answer. Lists are in order of `seq` or `cursor`. */
export type JournalQueries = {
  /** Pending messages after `afterSeq`, of all consumers. */
  pending: {
    readonly args: Page;
    readonly answer: readonly PendingRow[];
  };
  /** Pending messages of one lane, for a lane with more on disk than in memory. */
  lane: {
    readonly args: Page & { readonly key: string; readonly conversation: string };
    readonly answer: readonly PendingRow[];
  };
  /** Pending messages of one adapter for one consumer, up to `upToSeq`: more conversations wait than are in memory. */
  backlog: {
    readonly args: Page & { readonly key: string; readonly consumer: string; readonly upToSeq: number };
    readonly answer: readonly PendingRow[];
  };
  /** Payloads by seq; a missing row is left out. */
  payloads: {
    readonly args: { readonly seqs: readonly number[] };
    readonly answer: readonly { readonly seq: number; readonly payload: Uint8Array }[];
  };
  /** Routing headers by seq. */
  headers: {
    readonly args: { readonly seqs: readonly number[] };
    readonly answer: readonly { readonly seq: number; readonly header: string }[];
  };
  deadLetters: {
    readonly args: Page;
    readonly answer: readonly DeadLetterRow[];
  };
  /** One dead letter by message id, with its payload. */
  deadLetter: {
    readonly args: { readonly id: string };
    readonly answer: { readonly row: DeadLetterRow; readonly payload: Uint8Array } | null;
  };
  /** One message by id, whatever its state. */
  message: {
    readonly args: { readonly id: string };
    readonly answer: { readonly key: string; readonly conversation: string; readonly payload: Uint8Array } | null;
  };
  /** Sends still `queued` or `attempted` and not held, with their responses. */
  openSends: {
    readonly args: { readonly key: string; readonly afterSeq: number; readonly limit: number };
    readonly answer: readonly (SendRow & { readonly attempts: number; readonly nextAttemptAtMs: number })[];
  };
  /** Of the sends that are held: whose are due by `upToMs`, and when the next one is; `null`: there is none. */
  heldSends: {
    readonly args: { readonly upToMs: number };
    readonly answer: {
      readonly due: readonly { readonly key: string; readonly firstSeq: number; readonly lastSeq: number }[];
      readonly nextDueAtMs: number | null;
    };
  };
  send: { readonly args: { readonly id: string }; readonly answer: SendStatusRow | null };
  mail: {
    readonly args: {
      readonly key: string;
      readonly conversation: string;
      readonly after: number;
      readonly limit: number;
    };
    readonly answer: readonly { readonly cursor: number; readonly response: Uint8Array }[];
  };
  scope: { readonly args: { readonly scope: string }; readonly answer: Readonly<Record<string, string>> };
  counts: { readonly args: Readonly<Record<string, never>>; readonly answer: JournalCounts };
};
/** The name of a question. */
export type JournalQuery = keyof JournalQueries;

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
