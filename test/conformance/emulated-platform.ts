/**
 * What the conformance kit needs of a platform: an emulator that speaks its real wire protocol to its real library, with
 * its faults on command. Written once per platform (or once per way to connect, such as Slack's socket and HTTP modes).
 */
import type { AdapterModule, Policy } from "../../src/contract/adapter.ts";
import type { EmulatedPeople } from "./emulated-people.ts";

/** What somebody says on the emulated platform. */
export type SaidMessage = {
  readonly text: string;
  /** As the adapter names it; default: the emulator's one channel. */
  readonly conversation?: string;
  /** The platform's own id of the user; default: the emulator's one user. */
  readonly senderId?: string;
  readonly attachments?: readonly {
    readonly filename: string;
    readonly mimeType: string;
    readonly bytes: Uint8Array;
  }[];
};

/** What the adapter made the platform show, one entry per call that changed something there. */
export type ShownItem = {
  readonly kind:
    | "message"
    | "edit"
    | "reaction"
    | "reaction_removed"
    | "file"
    | "thread"
    | "ephemeral"
    | "poll"
    | "scheduled";
  /** As the adapter names it. */
  readonly conversation: string;
  /** The platform's id of the message shown, edited or reacted to. */
  readonly messageId: string;
  /** As a person reads it there: formatting taken off. The emoji for a reaction, the name for a file. */
  readonly text: string;
  /** The call's own body, for looking closer. */
  readonly raw: unknown;
};

/** Which call a fault meets: the first contact of a start, the live connection, or a message being sent. */
export type FaultPlace = "connect" | "receive" | "send";

/** A fault at {@link FaultPlace}, until it is lifted or used up. */
export type PlatformFault =
  /** Takes the request or connection and never says a word. */
  | { readonly kind: "hang" }
  /** Cuts the socket. */
  | { readonly kind: "drop"; readonly times: number }
  /** HTTP 429 with Retry-After, or the platform's own word for it. */
  | { readonly kind: "rate_limit"; readonly retryAfterSeconds: number; readonly times: number }
  | { readonly kind: "server_error"; readonly status: 500 | 502 | 503; readonly times: number }
  | { readonly kind: "bad_credentials" };

/** What the kit may expect of a platform; a case that does not apply is left out, with its reason in the report. */
export type PlatformTraits = {
  /** The platform gives a message again until it was acknowledged, or keeps what was missed for a resumed session or in a history. */
  readonly recoversMissed: boolean;
  /** The adapter tells the platform which messages it has: long-poll offsets, envelope acks, HTTP 200. */
  readonly acknowledges: boolean;
  /** It keeps a connection of its own open; `false`: the platform calls us. */
  readonly keepsConnection: boolean;
  /** Replies are fetched by the client. */
  readonly isPull: boolean;
  /** The adapter finds out what became of a send whose answer was lost. @default false */
  readonly completesSends?: boolean;
  /** Largest text of one message, in the platform's own unit; 0: none. */
  readonly longestText: { readonly limit: number; readonly unit: "utf16" | "code_points" | "bytes" };
  /** What {@link SaidMessage.attachments} becomes: bytes that the adapter fetches, an address it passes on, or nothing. @default "bytes" */
  readonly attachments?: "bytes" | "url" | "none";
  /** Triple backquotes make a code block there. @default true */
  readonly hasCodeFences?: boolean;
  /** A message may have several lines. @default true */
  readonly hasLineBreaks?: boolean;
  /**
   * The longest, in a real gateway and its own time, that a half-open connection goes unnoticed, milliseconds: until the
   * adapter sees it, or else its supervisor. @default `module.maxSilenceMs`
   */
  readonly silenceShowsMs?: number;
};

/** An adapter module, whatever its settings are. */
export type AnyAdapterModule = Omit<AdapterModule<never>, "settings"> & { readonly settings?: unknown };

/** One emulated platform and the adapter that talks to it. */
export interface EmulatedPlatform extends AsyncDisposable {
  /** For test titles: `slack (socket mode)`. */
  readonly title: string;
  /** The runtime key's platform. */
  readonly platform: string;
  readonly module: AnyAdapterModule;
  readonly traits: PlatformTraits;
  /** `context.settings` for an adapter in the test's own thread. Times that the adapter reads from settings are short. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The body of `[messaging.KEY]` in a gateway's config: the same settings, as TOML lines. */
  readonly toml: string;
  /** Bindings that narrow what is heard to `conversation`, as TOML; for swapping the policy in place. */
  bindingToml(consumer: string, conversation: string): string;
  /** The policy that lets through what {@link EmulatedPlatform.say} says by default. */
  readonly policy: Partial<Policy>;
  /** Every secret in the settings, and each form it takes on the wire that would still be one. */
  readonly secrets: readonly string[];
  /** A conversation beside the default one. */
  readonly otherConversation: string;

  /** What people do there beside writing; left out where the adapter hears of nothing else. */
  readonly people?: EmulatedPeople;

  /** Somebody writes. Resolves with the platform's id once the platform has it; what comes of it shows elsewhere. */
  say(message: SaidMessage): Promise<string>;
  /** The platform delivers an old message or event once more, as it does after a lost acknowledgement. */
  repeat(id: string): Promise<void>;
  /** Has the adapter told the platform that it has message or event `id`? */
  isAcknowledged(id: string): boolean;
  /** Resolves when {@link EmulatedPlatform.isAcknowledged} turns true. */
  acknowledged(id: string): Promise<void>;
  /** Sends bytes that no honest platform sends: unknown kinds, nulls, wrong types, an oversize frame. Resolves when all are out. */
  sayNonsense(): Promise<void>;

  /** Everything shown so far, in order. */
  readonly shown: readonly ShownItem[];
  /** The first shown item, past or to come, that matches. */
  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem>;

  /** Sets a fault; a second one at the same place replaces the first. */
  setFault(place: FaultPlace, fault: PlatformFault): void;
  /** Lifts the fault at `place`; what hangs is cut. */
  liftFault(place: FaultPlace): void;
  /** How often the adapter ran into a fault at `place`. */
  faultsMet(place: FaultPlace): number;
  /** Resolves at the `count`-th meeting. */
  faultMet(place: FaultPlace, count: number): Promise<void>;
  /** Cuts every live connection. */
  dropConnections(): void;
  /** Live connections stay open but nothing comes through, either way: a half-open socket. Lifted by a new connection. */
  freezeConnections(): void;
  /** Live connections now, and all there ever were. HTTP keep-alive sockets of calls do not count. */
  readonly connections: { readonly live: number; readonly total: number };
  /** Open TCP sockets of any kind. */
  readonly openSockets: number;
  /** Resolves when {@link EmulatedPlatform.openSockets} is 0. */
  allSocketsClosed(): Promise<void>;
}
