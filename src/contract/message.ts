/** A message on its way in: what an adapter emits, what the coordinator reads of it, what a consumer's handler gets. */

/** What happened on the platform. */
export const messageKinds = ["text", "media", "interaction", "command", "edited", "deleted", "reaction"] as const;
/** One of {@link messageKinds}. */
export type MessageKind = (typeof messageKinds)[number];

/** A file that came with a message, by reference. Whoever needs the bytes fetches them; no token is in `url`. */
export type Attachment = {
  readonly filename: string;
  readonly mimeType: string;
  readonly url: string | null;
  readonly sizeBytes: number | null;
  /** What its adapter can fetch it by, at most 1,024 characters and no secret; `null`: it cannot. */
  readonly ref: string | null;
};

/** An attachment as a handler gets it. */
export type ReadableAttachment = Attachment & {
  /**
   * The file's bytes, fetched by its adapter now and not before.
   * @throws {GatewayError} `too_large` above `maxBytes` (default and limit: 25 MiB), `not_found` when
   * the platform no longer has it or the adapter cannot fetch, `adapter_unavailable`, `timeout`.
   */
  readonly read: (options?: { readonly maxBytes?: number }) => Promise<Uint8Array>;
};

/**
 * What a reply needs to know of the message that it answers, such as a thread's id. Made by the adapter, stored with the
 * message, handed back with each response to it. At most 16 strings of at most 256 characters; no secret among them.
 */
export type ReplyTo = Readonly<Record<string, string>>;

/** Who wrote a message. `id` is the platform's, always a string. */
export type Sender = { readonly id: string; readonly name: string; readonly isBot: boolean };

/** What bindings are matched on. Filled by the adapter; ids are strings. Everything left out never matches a filter. */
export type Routing = {
  readonly guildId?: string;
  readonly workspaceId?: string;
  readonly chatId?: string;
  readonly teamId?: string;
  /** The channel, then its parent for a thread. */
  readonly channelIds?: readonly string[];
  readonly isDirect?: boolean;
  readonly mentionsBot?: boolean;
  /** The sender's name for people where its id is a number and `authority` lists may name either (Twitch's login). */
  readonly senderLogin?: string;
  /** The consumer a caller asked for by name (webhook); bindings are then read for their settings only. */
  readonly consumer?: string;
};

/**
 * What an adapter hands to `context.emit`.
 * Literal: `{ id: "171", conversation: "room-1", sender: { id: "u1", name: "Ann" }, text: "hello" }`
 */
export type EmittedMessage = {
  /** The platform's own id: the same event again has the same one. At most 512 characters. */
  readonly id: string;
  /** The ordering key within this adapter, without the runtime key. At most 512 characters. */
  readonly conversation: string;
  readonly sender: { readonly id: string; readonly name?: string; readonly isBot?: boolean };
  readonly text: string;
  /** @default "text" */
  readonly kind?: MessageKind;
  readonly attachments?: readonly Partial<Attachment>[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** ISO 8601; default: now. */
  readonly timestamp?: string;
  /** Tells two events about the same platform id apart: an edit's time, a reaction's actor and emoji. */
  readonly revision?: string;
  readonly routing?: Routing;
  readonly replyTo?: ReplyTo;
};

/** A message as a consumer's handler gets it. */
export type Message = {
  /** Ours; the same platform event always has the same id. */
  readonly id: string;
  /** The runtime key. */
  readonly adapter: string;
  readonly platform: string;
  readonly conversation: string;
  /** `adapter/conversation`: delivered in order, one at a time. Also a TARGET for `send`. */
  readonly lane: string;
  readonly sender: Sender;
  readonly kind: MessageKind;
  readonly text: string;
  readonly attachments: readonly ReadableAttachment[];
  /**
   * What the adapter says beside the text, and two of the router's own: `sender_is_authority`, whether the sender may
   * give commands, and `binding_settings`, `settings` of the binding that matched (`{}`: none).
   */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  /** 1 for the first; counts handlings that failed, not restarts of the gateway. */
  readonly attempt: number;
  /** It may have been handed out before. */
  readonly redelivered: boolean;
};

/** What is stored as a message's payload: everything that does not change between deliveries. */
export type StoredMessage = Omit<Message, "attempt" | "redelivered" | "attachments"> & {
  readonly attachments: readonly Attachment[];
  readonly replyTo?: ReplyTo;
};

/**
 * What the coordinator reads of an emitted message; the payload it never opens. One per message in a data frame.
 * Literal: `{ id: "mX…", conversation: "room-1", kind: "text", senderId: "u1", bytes: 412, routing: {} }`
 */
export type RoutingHeader = {
  readonly id: string;
  readonly conversation: string;
  readonly kind: MessageKind;
  readonly senderId: string;
  /** Length of its payload in the frame's body. */
  readonly bytes: number;
  readonly routing: Routing;
};

/** A past message, oldest first, as `context.history` gives it. */
export type HistoryMessage = {
  readonly author: string;
  readonly text: string;
  readonly isBot: boolean;
  readonly timestamp: string | null;
};
