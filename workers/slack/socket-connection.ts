/**
 * One Socket Mode connection from its first request to its last byte, around the client that Slack's library makes. Every
 * step has a deadline of ours: the library waits for ever for an answer, five minutes for an upgrade, and always for HELLO.
 */
import { channel } from "node:diagnostics_channel";
import type { Logger } from "@slack/bolt";
import { SocketModeReceiver } from "@slack/bolt";
import { GatewayError } from "../../src/contract/errors.ts";
import { after } from "../../src/support/time.ts";
import { clientOptions } from "./api.ts";
import { fieldsOf, textOf, type Fields } from "./fields.ts";
import type { HttpClient } from "./http-client.ts";
import { slackError } from "./slack-error.ts";

/** One envelope. `acknowledge` never rejects: what could not be acknowledged comes again. */
export type Envelope = { readonly body: Fields; readonly acknowledge: (answer: Fields) => Promise<void> };

/** What a connection is made with. */
export type SocketOptions = {
  readonly appToken: string;
  readonly apiUrl: string;
  readonly http: HttpClient;
  readonly logger: Logger;
  readonly onEnvelope: (envelope: Envelope) => void;
  /** Something came in, a pong or an envelope. */
  readonly onFrame: () => void;
  /** A frame that the library cannot read. */
  readonly onMalformed: () => void;
  /** Resolves when what came in is acknowledged, or a moment later: asked before a connection is given up in order. */
  readonly drained: () => Promise<void>;
};

/** Why a connection is over. `isPlanned`: Slack asked for a new one. */
export type ConnectionEnd = { readonly isPlanned: boolean; readonly reason: string };

type Client = SocketModeReceiver["client"];
type MessageHandler = (data: unknown, isBinary: boolean) => unknown;

/** For the address, the upgrade and HELLO together, milliseconds. */
const openTimeoutMs = 9_000;
/** Pings go out three times in this time; without a pong within it the peer is dead. */
const pongTimeoutMs = 6_000;
const serverPingTimeoutMs = 30_000;
/** How long the other side may take to close what we closed. */
const closeTimeoutMs = 500;
/** Slack's own messages about the connection are short. */
const longestControlFrame = 2_048;
const pings = channel("undici:websocket:ping");
const pongs = channel("undici:websocket:pong");

/** A connection that has said HELLO. */
export class SocketConnection {
  /** Resolves when the socket is gone, whoever ended it. */
  readonly closed: Promise<ConnectionEnd>;
  readonly #client: Client;
  readonly #options: SocketOptions;
  readonly #closed = Promise.withResolvers<ConnectionEnd>();
  readonly #opening = new AbortController();
  #disconnectReason: string | null = null;
  #isGone = false;

  private constructor(options: SocketOptions) {
    this.#options = options;
    this.closed = this.#closed.promise;
    const { http } = options;
    const receiver = new SocketModeReceiver({
      appToken: options.appToken,
      logger: options.logger,
      autoReconnectEnabled: false,
      clientPingTimeout: pongTimeoutMs,
      serverPingTimeout: serverPingTimeoutMs,
      installerOptions: {
        clientOptions: {
          ...clientOptions(options.apiUrl, http),
          fetch: (url, init) =>
            http.fetch(url, {
              ...init,
              signal: AbortSignal.any([this.#opening.signal, ...(init?.signal === undefined ? [] : [init.signal])]),
            }),
        },
      },
    });
    this.#client = receiver.client;
    this.#listen();
  }

  /**
   * Connects and waits for HELLO.
   * @throws {GatewayError} `unauthorized`, `forbidden`, `rate_limited`, `platform_unavailable`, `timeout`; nothing is then
   * left open.
   */
  static async open(options: SocketOptions, signal: AbortSignal): Promise<SocketConnection> {
    signal.throwIfAborted();
    const connection = new SocketConnection(options);
    const given = Promise.withResolvers<never>();
    const giveUp = (): void => given.reject(signal.reason as Error);
    signal.addEventListener("abort", giveUp, { once: true });
    using _deadline = after(openTimeoutMs, () =>
      given.reject(new GatewayError("timeout", `Cannot connect to Slack: no HELLO within ${openTimeoutMs} ms`)),
    );
    const started = connection.#client.start();
    started.catch(() => {});
    try {
      await Promise.race([started, given.promise]);
      return connection;
    } catch (reason) {
      await connection.close();
      if (signal.aborted) throw signal.reason;
      // The library rejects with nothing at all when the socket was closed.
      throw reason === undefined
        ? new GatewayError("platform_unavailable", "Cannot connect to Slack: the connection was closed before HELLO")
        : slackError(reason, "apps.connections.open");
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Whether the socket can carry anything. */
  get isLive(): boolean {
    return this.#client.websocket?.isActive() === true;
  }

  /** Closes it, by force when the other side does not join in. Resolves when the socket is gone. */
  async close(): Promise<void> {
    this.#opening.abort(new Error("The connection is being given up"));
    if (this.#isGone) return;
    this.#shut();
    // The second time, the library does not wait for the other side.
    using _force = after(closeTimeoutMs, () => this.#shut());
    using _last = after(closeTimeoutMs * 2, () => this.#gone());
    await this.closed;
  }

  #listen(): void {
    const client = this.#client;
    const [read] = client.listeners("ws_message") as readonly MessageHandler[];
    // The library's own listener lets a frame it cannot read end the thread.
    client.removeAllListeners("ws_message");
    client.on("ws_message", (data: unknown, isBinary: boolean) => void this.#onFrame(read, data, isBinary));
    // This one is bolt's, which acknowledges at once.
    client.removeAllListeners("slack_event");
    client.on("slack_event", (event: unknown) => this.#onEvent(event));
    client.on("disconnected", () => {
      // A frame of that type has the library say so, too.
      if (!this.isLive) this.#gone();
    });
    pings.subscribe(this.#onPong);
    pongs.subscribe(this.#onPong);
  }

  readonly #onPong = (): void => this.#options.onFrame();

  async #onFrame(read: MessageHandler | undefined, data: unknown, isBinary: boolean): Promise<void> {
    this.#options.onFrame();
    try {
      if (typeof data === "string" && data.length <= longestControlFrame) await this.#prepareDisconnect(data);
      await read?.(data, isBinary);
    } catch {
      // Not JSON's fault, which the library ignores: null, a list, an event without a type.
      this.#options.onMalformed();
    }
  }

  /** Slack announces that it will close: what is half done is finished first, then nobody waits for Slack. */
  async #prepareDisconnect(frame: string): Promise<void> {
    if (!frame.includes('"disconnect"')) return;
    const fields = fieldsOf(JSON.parse(frame));
    if (fields["type"] !== "disconnect" || this.#disconnectReason !== null) return;
    this.#disconnectReason = textOf(fields["reason"]) || "disconnect";
    await this.#options.drained();
    void this.close();
  }

  #onEvent(event: unknown): void {
    const { body, ack } = fieldsOf(event);
    // The library's own function; what it is given goes into the acknowledgement's payload.
    const acknowledge = ack as (answer: Fields) => Promise<void>;
    this.#options.onEnvelope({
      body: fieldsOf(body),
      acknowledge: async (answer) => {
        try {
          await acknowledge(answer);
        } catch {
          // The socket went first: Slack sends the envelope again, and it is then known.
        }
      },
    });
  }

  #shut(): void {
    // Its promise settles with `disconnected`, which is listened to already.
    this.#client.disconnect().catch(() => {});
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    pings.unsubscribe(this.#onPong);
    pongs.unsubscribe(this.#onPong);
    const reason = this.#disconnectReason;
    this.#closed.resolve({ isPlanned: reason !== null, reason: reason ?? "the connection was lost" });
  }
}
