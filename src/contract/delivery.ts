/** How a stored message is handed to a consumer and what comes back. Flow owns the leases, consumers own the handling. */
import type { ErrorReport } from "./errors.ts";
import type { JournalWrite, WriteResult } from "./journal.ts";

/**
 * What the config in force at the moment of handing out says of a message. It is the router's word: nothing an adapter
 * puts into a message takes its place.
 */
export type RouterStamp = {
  /** The sender may give commands. Shown to handlers as `metadata.sender_is_authority`. */
  readonly senderIsAuthority: boolean;
  /** `settings` of the binding that matched, `null` where it has none or none did. Shown as `metadata.binding_settings`. */
  readonly bindingSettings: Readonly<Record<string, unknown>> | null;
};

/** One message handed out. The payload is a StoredMessage as JSON, never opened in the coordinator. */
export type Delivery = RouterStamp & {
  /** Names this attempt: `seq.attempt.lease`. A late answer to an earlier one does nothing. */
  readonly receipt: string;
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  readonly attempt: number;
  readonly redelivered: boolean;
  readonly payload: Uint8Array;
};

/** A reply that goes with its message's ack in one transaction. */
export type SettledReply = {
  /** Its number among this message's replies, from 0: the idempotency key is `messageId/index`. */
  readonly index: number;
  /** A Response as JSON, checked where it was made. */
  readonly response: Uint8Array;
};

/** What became of one delivery. `delayMs` null: the consumer's backoff. */
export type Settlement = {
  readonly receipt: string;
  readonly outcome:
    | { readonly kind: "ack" }
    | { readonly kind: "nack"; readonly delayMs: number | null; readonly error: ErrorReport | null }
    | { readonly kind: "reject"; readonly reason: string };
  readonly reply: SettledReply | null;
};

/** A consumer as flow sees it. */
export interface ConsumerPort {
  readonly name: string;
  /** Takes deliveries; flow never gives more than the agreed concurrency minus what is unsettled. */
  deliver(deliveries: readonly Delivery[]): void;
  /** These are over their time. The consumer must settle or release each of them soon. */
  expire(receipts: readonly string[]): void;
}

/** What flow enforces for one consumer. */
export type ConsumerLimits = { readonly concurrency: number; readonly timeoutMs: number; readonly maxAttempts: number };

/** A consumer's line back to flow. */
export interface ConsumerLine {
  /** Late or unknown receipts do nothing. Resolves when the outcome is on disk. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** Moves a delivery's deadline to `ms` from now. `false`: the receipt is no longer valid. */
  extend(receipt: string, ms: number): boolean;
  /** The lease behind a receipt, while it is valid. */
  lookup(receipt: string): Delivery | null;
  /** Gives deliveries back unhandled. `countAttempt`: they may have caused the failure. */
  release(
    receipts: readonly string[],
    options: { readonly countAttempt: boolean; readonly error: ErrorReport | null },
  ): void;
  /**
   * Handed out and not settled. {@link ConsumerLimits} are read anew at every hand-out; after raising `concurrency`,
   * `settle([])` makes flow look again.
   */
  readonly inFlight: number;
  /** No new deliveries; resolves when all are settled or at the deadline, when the rest is released uncounted. */
  detach(deadlineMs: number): Promise<void>;
}

/** Where consumers attach. Messages of a consumer that is not attached wait in the journal. */
export interface Dispatcher {
  attach(port: ConsumerPort, limits: ConsumerLimits): ConsumerLine;
}

/** Turns a reply into the writes that make it durable: a mailbox entry for a pull platform, an outbox row for the rest. */
export interface ReplyWriter {
  /** `written` is called with the writes' results once they are on disk. */
  reply(request: {
    readonly messageId: string;
    readonly key: string;
    readonly conversation: string;
    readonly reply: SettledReply;
  }): { readonly writes: readonly JournalWrite[]; written(results: readonly WriteResult[]): void };
}
