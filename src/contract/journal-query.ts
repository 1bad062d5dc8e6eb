/** What can be asked of the journal, and what it answers. */
import type { ErrorReport } from "./errors.ts";
import type { SendRow } from "./journal.ts";

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
    readonly answer: readonly (SendRow & {
      readonly attempts: number;
      readonly nextAttemptAtMs: number;
      /** When it came to its state. */
      readonly changedAtMs: number;
    })[];
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
