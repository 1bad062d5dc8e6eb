/** tmi.js, loaded without what it would bring along, and the inner parts of it that {@link ChatSocket} takes hold of. */
import { createRequire } from "node:module";
import type { ClientConstructor } from "tmi.js";
import { WebSocket } from "ws";

/** The library's client. Members with an underscore are its own, fixed in the one version that there is. */
export interface TmiClient {
  ws: WebSocket | null;
  /** Makes {@link TmiClient.ws}; called by `connect()`. */
  _openConnection(): void;
  /** Logs in. */
  _onOpen(): void;
  /** Parses a frame; throws for some of what servers may send. */
  _onMessage(event: { readonly data: string }): void;
  /** Stops its timers. */
  _onClose(): void;
  connect(): Promise<unknown>;
  /** Sends one line. */
  raw(line: string): Promise<unknown>;
  /** `parsed` has `command`, `prefix`, `tags` and `params`. */
  on(event: "raw_message", listener: (parsed: unknown) => void): unknown;
}

/** What a client is made with. */
export type TmiOptions = ConstructorParameters<ClientConstructor>[0];

/**
 * At its import the library looks at the global WebSocket, which loads all of undici: more than half of that import's time, for a
 * socket that is never used. For that moment it finds the one that is.
 */
function loadLibrary(): { readonly Client: new (options: TmiOptions) => TmiClient } {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
  Object.defineProperty(globalThis, "WebSocket", { value: WebSocket, configurable: true });
  try {
    return createRequire(import.meta.url)("tmi.js") as ReturnType<typeof loadLibrary>;
  } finally {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, "WebSocket");
    else Object.defineProperty(globalThis, "WebSocket", descriptor);
  }
}

const { Client } = loadLibrary();

/** A client that does nothing until it is told to connect. */
export function createClient(options: TmiOptions): TmiClient {
  return new Client(options);
}
