/** What an adapter module is: ours and third parties' alike. The thread's shim turns any of these into a supervised adapter. */
import type { z } from "zod";
import type { CommandDeclaration } from "./command.ts";
import type { EmittedMessage, HistoryMessage, ReplyTo } from "./message.ts";
import type { Response, ResponseKind, StatusUpdate } from "./response.ts";

/** How a platform shows one response kind: as itself, by a documented fallback, or not at all. */
export type Capability = "native" | "fallback" | "none";

/** Structured logging that ends in the gateway's log under the adapter's name. `event` is a constant kebab-case name. */
export interface AdapterLog {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What bindings and the adapter's table allow. Swapped in place; `null` filters let everything through. */
export type Policy = {
  readonly guildFilter: readonly string[] | null;
  readonly workspaceFilter: readonly string[] | null;
  readonly chatFilter: readonly string[] | null;
  /**
   * Channel ids per guild or workspace id. The key `""` holds for each of them that has no key of its own; Twitch uses
   * only that one. Where neither is there, every channel is let through; so it is where a list is `["*"]`.
   */
  readonly channelFilter: Readonly<Record<string, readonly string[]>>;
  /** Empty: nobody. `["*"]`: everyone. On Twitch: who is heard in the channel, and empty means all. */
  readonly dmAllowedUsers: readonly string[];
  readonly allowBotMessages: boolean;
  /** E-mail; empty: everyone. */
  readonly allowedSenders: readonly string[];
  readonly triggerPrefix: string;
  readonly maxBodyBytes: number;
  readonly maxAttachmentBytes: number;
  /** What the consumers that this adapter's bindings name have declared. */
  readonly commands: readonly CommandDeclaration[];
};

/** One waiting reply of a pull platform. `cursor` rises within the gateway and never repeats. */
export type MailboxEntry = { readonly cursor: number; readonly response: Response };

/** Where replies to pull platforms wait in the journal until the client has them. */
export interface Mailbox {
  /**
   * Entries of `conversation` after `after`, oldest first, at most 100; an empty list once `waitMs` (0 to 60,000) is over.
   * `remove` takes what is returned out at once; without it entries stay until {@link Mailbox.ack}.
   */
  read(request: {
    readonly conversation: string;
    readonly after: number;
    readonly waitMs: number;
    readonly remove: boolean;
    readonly signal?: AbortSignal;
  }): Promise<readonly MailboxEntry[]>;
  /** Removes what is up to and including `upTo`. */
  ack(request: { readonly conversation: string; readonly upTo: number }): void;
}

/** A token that a platform gave in place of the configured one. Each text has at most 8,192 characters. */
export type StoredToken = {
  readonly accessToken: string;
  /** `null`: the configured one still holds. */
  readonly refreshToken: string | null;
  /** ISO 8601; `null`: never, or nobody knows. */
  readonly expiresAt: string | null;
};

/** What {@link TokenKeeper.withLock} hands over. */
export type HeldToken = {
  /** What was stored last for the credential as it is configured now; `null`: nothing, the configured one counts. */
  readonly stored: StoredToken | null;
  /** Resolves when it is on disk: use it only then. @throws {GatewayError} `internal` when it cannot be written. */
  store(token: StoredToken): Promise<void>;
};

/** Renews a token that expires, one life at a time: a refresh token may be good for one use only. */
export interface TokenKeeper {
  /**
   * Calls `run` while no other life with this credential renews it. `configured`: everything in the settings that the token
   * is in place of; when that changes, what is stored counts no more.
   * @throws {GatewayError} `timeout` when another life has it for too long; what `run` rejects with.
   */
  withLock<Value>(configured: string, run: (held: HeldToken) => Promise<Value>): Promise<Value>;
}

/** What a running adapter may ask of the gateway. */
export type AdapterContext<Settings = Readonly<Record<string, unknown>>> = {
  /** The runtime key, such as `webhook` or `webhook:ops`. */
  readonly key: string;
  readonly generation: number;
  readonly settings: Settings;
  readonly policy: Policy;
  /** Aborted when this generation must end. */
  readonly signal: AbortSignal;
  readonly log: AdapterLog;
  /**
   * Hands messages to the gateway; waits for credit. Resolves, with the ids in order, when all are on disk or known as duplicates.
   * @throws {GatewayError} `queue_full`, `journal_unavailable` when they were not accepted; `invalid_request` for a malformed one.
   */
  emit(message: EmittedMessage | readonly EmittedMessage[]): Promise<readonly string[]>;
  /** The transport showed life: a pong, a heartbeat's ack, an empty poll. */
  frame(): void;
  /** The library lost the connection and is at it by itself. */
  reconnecting(reason: string): void;
  /** It is back. */
  connected(): void;
  /** Messages that are known to be lost, and seconds in which some may have been: counted and shown, never hidden. */
  missed(report: { readonly messages?: number; readonly gapSeconds?: number }): void;
  /** Where to go on after a respawn. Stored in one transaction with the messages emitted before it. */
  readonly resume: { load(): Promise<unknown>; store(state: unknown): Promise<void> };
  /** Leave to connect, per credential, durable. Rejects with `rate_limited` and retry `after`. */
  readonly budget: { acquire(kind: string): Promise<void> };
  readonly token: TokenKeeper;
  readonly mailbox: Mailbox;
};

/** One send as the adapter gets it. */
export type SendRequest = {
  readonly conversation: string;
  readonly response: Response;
  /** Of the message this answers; `null`: it answers none. */
  readonly replyTo: ReplyTo | null;
  /** The same send again has the same key. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
};

/** So many sends a second in the long run, `burst` of them at once. */
export type SendRate = { readonly perSecond: number; readonly burst: number };

/** How fast a platform lets us write. The outbox keeps it, so that a flood waits here and is not refused there. */
export type SendRates = {
  /** Of all conversations together. */
  readonly credential?: SendRate;
  /** Of each conversation: the first rate counts whose `startsWith` its name has; every name has `""`. */
  readonly conversations?: readonly (SendRate & { readonly startsWith: string })[];
};

/** A send of which nobody knows whether it arrived: its answer was lost, with its thread or its process. */
export type DoubtfulSend = SendRequest & {
  /** When it was handed to the adapter: ISO 8601. */
  readonly attemptedAt: string;
};

/** A started adapter. Only `stop` is required of one that can do nothing else. */
export interface RunningAdapter {
  /** Settles when the connection is over; the supervisor then restarts. A rejection says why. */
  readonly closed?: Promise<void>;
  /** Left out: as fast as it takes them. */
  readonly sendRates?: SendRates;
  send?(request: SendRequest): Promise<{ readonly platformMessageId?: string | null } | void>;
  /**
   * Finds out what of a send is there, by the platform's history or its own idempotency, and sends the rest: it must never
   * be said twice. Left out where nothing can be found out; the send is then shown as `unknown`.
   * @throws {GatewayError} `timeout` with retry `never` where it cannot be told; else as `send`.
   */
  completeSend?(request: DoubtfulSend): Promise<{ readonly platformMessageId?: string | null } | void>;
  setStatus?(request: {
    readonly conversation: string;
    readonly status: StatusUpdate;
    readonly replyTo: ReplyTo | null;
  }): Promise<void>;
  history?(request: {
    readonly conversation: string;
    readonly replyTo: ReplyTo | null;
    readonly limit: number;
    readonly before: string | null;
  }): Promise<readonly HistoryMessage[]>;
  /**
   * Writes an emitted attachment's bytes to `path`, a file that is not there yet. Authenticated by the adapter, from hosts
   * it knows alone.
   * @throws {GatewayError} `too_large`, `not_found`.
   */
  attachment?(request: {
    readonly ref: string;
    readonly path: string;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly sizeBytes: number }>;
  /** Takes a new policy in place. Rejecting it means: replace me. */
  updatePolicy?(policy: Policy): Promise<void>;
  /** End-to-end proof of life. */
  probe?(): Promise<void>;
  stop(): Promise<void>;
}

/** An adapter module's default export. `defineAdapter` only types it. */
export interface AdapterModule<Settings = Readonly<Record<string, unknown>>> {
  readonly platform: string;
  /** What is left out is `fallback`. */
  readonly capabilities: Readonly<Partial<Record<ResponseKind, Capability>>>;
  /** The longest its transport may be silent before it counts as dead, milliseconds; 0: the transport has no frames of its own. */
  readonly maxSilenceMs: number;
  /** `true`: durable replies wait in the mailbox and the client fetches them; `send` then gets only what is volatile. */
  readonly pull?: boolean;
  /** `true`: a successor may run while the old thread cannot be ended. */
  readonly overlap?: boolean;
  readonly settings?: z.ZodType<Settings>;
  /** Resolved: `running`. Rejected: `start_failed`, or what the GatewayError's code says. */
  start(context: AdapterContext<Settings>): Promise<RunningAdapter>;
}
