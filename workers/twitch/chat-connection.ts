/** One connection to chat from its opening to its end: logged in within a deadline, and known to be alive. */
import { GatewayError } from "../../src/contract/errors.ts";
import { after, every, orAborted, steadyNow } from "../../src/support/time.ts";
import type { ChatLine } from "./chat-line.ts";
import { ChatSocket, type ChatSocketOptions } from "./chat-socket.ts";

/** Why a connection is over. `asked`: Twitch wants another one in its place. */
export type ConnectionEnd = {
  readonly kind: "asked" | "lost" | "silent" | "refused" | "closed";
  readonly error: GatewayError;
};

/** What a connection is made with. */
export type ChatConnectionOptions = Omit<ChatSocketOptions, "onLine"> & {
  /** Every line but those that are about the connection itself. */
  readonly onLine: (line: ChatLine) => void;
  /** Takes secrets out of what Twitch says. */
  readonly redact: (text: string) => string;
};

const loginTimeoutMs = 8_000;
/** Twitch itself asks every five minutes: we ask whenever it is quiet. */
const quietMs = 20_000;
/** Asked twice by then. */
const silentMs = 40_000;
const watchPeriodMs = 5_000;
const pingTimeoutMs = 8_000;
const loginRefused =
  /login unsuccessful|authentication failed|improperly formatted auth|error logging in|invalid nick/iu;
const loginFailed = /error logging in/iu;

/** One connection. */
export class ChatConnection {
  /** Resolves once its socket is gone. */
  readonly closed: Promise<ConnectionEnd>;
  readonly #options: ChatConnectionOptions;
  readonly #socket: ChatSocket;
  readonly #loggedIn = Promise.withResolvers<void>();
  /** Whoever asked for a sign of life. */
  readonly #pings = new Set<PromiseWithResolvers<void>>();
  readonly #watch: Disposable;
  #login: string;
  #isLoggedIn = false;
  #isAnswering = false;
  #lastFrameAtMs = steadyNow();
  #end: ConnectionEnd | null = null;

  private constructor(options: ChatConnectionOptions) {
    this.#options = options;
    this.#login = options.login;
    this.#loggedIn.promise.catch(() => {});
    this.#socket = new ChatSocket({
      ...options,
      onFrame: () => {
        this.#lastFrameAtMs = steadyNow();
        options.onFrame();
      },
      onLine: (line) => this.#onLine(line),
    });
    this.#watch = every(
      watchPeriodMs,
      () => this.#lookForLife(),
      (reason) => this.#finish("lost", GatewayError.from(reason)),
    );
    this.closed = this.#socket.closed.then((error) => this.#onClosed(error));
  }

  /**
   * Connects and logs in.
   * @throws {GatewayError} `unauthorized`, `rate_limited`, `platform_unavailable`, `timeout`; nothing is then left open.
   */
  static async open(options: ChatConnectionOptions, signal: AbortSignal): Promise<ChatConnection> {
    signal.throwIfAborted();
    const connection = new ChatConnection(options);
    using _deadline = after(loginTimeoutMs, () => {
      const message = `Cannot log in to Twitch's chat: no welcome within ${loginTimeoutMs} ms`;
      connection.#loggedIn.reject(new GatewayError("timeout", message));
    });
    try {
      await orAborted(connection.#loggedIn.promise, signal);
      return connection;
    } catch (reason) {
      await connection.close();
      throw reason;
    }
  }

  /** Whom Twitch takes us for. */
  get login(): string {
    return this.#login;
  }

  /** Whether the server granted what makes it answer messages (`twitch.tv/commands`). */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** Sends one line. @throws {GatewayError} `platform_unavailable`: it was not sent. */
  send(line: string): void {
    this.#socket.send(line);
  }

  /** Asks for a sign of life. @throws {GatewayError} `timeout`, or why the connection is over. */
  async ping(): Promise<void> {
    const answered = Promise.withResolvers<void>();
    this.#pings.add(answered);
    using _deadline = after(pingTimeoutMs, () =>
      answered.reject(new GatewayError("timeout", `Twitch's chat did not answer a PING within ${pingTimeoutMs} ms`)),
    );
    try {
      this.send("PING :tmi.twitch.tv");
      await answered.promise;
    } finally {
      this.#pings.delete(answered);
    }
  }

  /** Ends it. Resolves when its socket is gone. */
  async close(): Promise<void> {
    this.#finish("closed", new GatewayError("adapter_unavailable", "The connection to Twitch's chat was closed"));
    await this.closed;
  }

  #onLine(line: ChatLine): void {
    switch (line.command) {
      case "CAP":
        this.#isAnswering ||= line.params[1] === "ACK" && (line.params[2] ?? "").includes("twitch.tv/commands");
        break;
      case "001":
        this.#login = (line.params[0] ?? this.#login).toLowerCase();
        break;
      case "376":
        this.#isLoggedIn = true;
        this.#loggedIn.resolve();
        break;
      case "PONG":
        for (const { resolve } of this.#pings) resolve();
        break;
      case "RECONNECT":
        this.#finish("asked", new GatewayError("platform_unavailable", "Twitch asked for another connection"));
        break;
      case "NOTICE":
        if (isRefusal(line)) this.#finish("refused", loginError(this.#options.redact(line.params[1] ?? "")));
        else this.#options.onLine(line);
        break;
      default:
        this.#options.onLine(line);
    }
  }

  #lookForLife(): void {
    if (!this.#isLoggedIn || this.#end !== null) return;
    const silenceMs = steadyNow() - this.#lastFrameAtMs;
    if (silenceMs >= silentMs)
      this.#finish("silent", new GatewayError("platform_unavailable", `Twitch's chat was silent for ${silenceMs} ms`));
    else if (silenceMs >= quietMs && this.#socket.isOpen) this.send("PING :tmi.twitch.tv");
  }

  /** The first reason counts. */
  #finish(kind: ConnectionEnd["kind"], error: GatewayError): void {
    if (this.#end !== null) return;
    this.#end = { kind, error };
    this.#loggedIn.reject(error);
    void this.#socket.close();
  }

  #onClosed(error: GatewayError | null): ConnectionEnd {
    this.#watch[Symbol.dispose]();
    const lost = error ?? new GatewayError("platform_unavailable", "The connection to Twitch's chat was lost");
    this.#end ??= { kind: "lost", error: lost };
    this.#loggedIn.reject(this.#end.error);
    for (const { reject } of this.#pings) reject(this.#end.error);
    return this.#end;
  }
}

/** What says so is addressed to no channel. */
function isRefusal({ params: [target = "", text = ""] }: ChatLine): boolean {
  return !target.startsWith("#") && loginRefused.test(text);
}

function loginError(text: string): GatewayError {
  // Twitch's own trouble: a person with a new token could not help it.
  if (loginFailed.test(text))
    return new GatewayError(
      "platform_unavailable",
      `Cannot log in to Twitch's chat just now: Twitch says ${JSON.stringify(text.slice(0, 200))}`,
    );
  return new GatewayError(
    "unauthorized",
    `Cannot log in to Twitch's chat: Twitch says ${JSON.stringify(text.slice(0, 200))}`,
    {
      userAction:
        "Put a valid oauth_token of the bot's account, with the scopes chat:read and chat:edit, into the config, then reload",
    },
  );
}
