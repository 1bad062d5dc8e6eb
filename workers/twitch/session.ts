/** One life of the adapter: the token, the one connection, and what is heard and said through it. */
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { TwitchSettings } from "../../src/contract/settings.ts";
import { ConnectionLoop } from "../../src/support/connection-loop.ts";
import type { Attendance } from "./attendance.ts";
import { Channels } from "./channels.ts";
import { ChatConnection, type ConnectionEnd } from "./chat-connection.ts";
import { channelOf, type ChatLine } from "./chat-line.ts";
import type { Credentials } from "./credentials.ts";
import { Hearing } from "./hearing.ts";
import type { BotAccount } from "./mentions.ts";
import { Speaker } from "./speaker.ts";

/** Twitch's own chat. {@link https://dev.twitch.tv/docs/irc/} */
const twitchUrl = "wss://irc-ws.chat.twitch.tv/";

/** What a session is made of. */
export type SessionParts = {
  readonly context: AdapterContext<TwitchSettings>;
  readonly credentials: Credentials;
  readonly attendance: Attendance;
  /** Takes secrets out of what Twitch says. */
  readonly redact: (text: string) => string;
};

/** The parts of one adapter, joined. */
export class TwitchSession implements AsyncDisposable {
  readonly speaker: Speaker;
  policy: Policy;
  readonly #parts: SessionParts;
  readonly #channels: Channels;
  readonly #hearing: Hearing;
  #bot: BotAccount;
  #isEnding = false;
  #loop: ConnectionLoop<ChatConnection> | null = null;
  #connection: ChatConnection | null = null;

  private constructor(parts: SessionParts) {
    const { context } = parts;
    const { settings, log } = context;
    this.#parts = parts;
    this.policy = context.policy;
    this.#bot = { login: settings.username, userId: null, displayName: "" };
    this.#channels = new Channels({ names: settings.channels, log });
    this.speaker = new Speaker({
      channels: this.#channels,
      send: (line) => this.#send(line),
      isAnswering: () => this.#connection?.isAnswering === true,
      log,
    });
    this.#hearing = new Hearing({ context, policy: () => this.policy, bot: () => this.#bot });
  }

  /** Logged in, and in its channels. @throws {GatewayError} why not. */
  static async start(parts: SessionParts, signal: AbortSignal): Promise<TwitchSession> {
    const session = new TwitchSession(parts);
    const { context, attendance } = parts;
    try {
      const options = {
        signal: context.signal,
        open: (openSignal: AbortSignal) => session.#open(openSignal),
        onLost: ({ error }: ConnectionEnd) => session.#onLost(error),
        onConnected() {
          context.connected();
          attendance.begin();
        },
      };
      session.#loop = await ConnectionLoop.start<ChatConnection>(options, signal);
      attendance.begin();
      return session;
    } catch (reason) {
      await session[Symbol.asyncDispose]();
      throw reason;
    }
  }

  /** Settles when the connection is over for good. */
  get closed(): Promise<void> {
    return this.#loop?.closed ?? Promise.resolve();
  }

  /** Asks Twitch for a sign of life. @throws {GatewayError} `timeout`, `platform_unavailable`. */
  async probe(): Promise<void> {
    if (this.#connection === null)
      throw new GatewayError("platform_unavailable", "Cannot reach Twitch's chat: there is no connection just now");
    await this.#connection.ping();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.#channels[Symbol.dispose]();
    // Twitch's answer to what has just been said may be on its way.
    await this.speaker.settled();
    await this.#loop?.stop();
    await this.#connection?.close();
    this.speaker.lost();
    await this.#hearing.end();
  }

  /** With a token that Twitch takes: one that it refuses is renewed, once. */
  async #open(signal: AbortSignal): Promise<ChatConnection> {
    const { credentials } = this.#parts;
    const token = credentials.accessToken;
    try {
      return await this.#connect(signal);
    } catch (reason) {
      signal.throwIfAborted();
      if (GatewayError.from(reason).code !== "unauthorized") throw reason;
      await credentials.renew(token, signal);
      return this.#connect(signal);
    }
  }

  async #connect(signal: AbortSignal): Promise<ChatConnection> {
    const { context, credentials, attendance, redact } = this.#parts;
    const connection = await ChatConnection.open(
      {
        url: context.settings.ircUrl === "" ? twitchUrl : context.settings.ircUrl,
        login: credentials.login,
        token: credentials.accessToken,
        redact,
        onFrame() {
          context.frame();
          attendance.heard();
        },
        onLine: (line) => this.#onLine(line),
        onMalformed: (kind) => this.#hearing.onMalformed(kind),
      },
      signal,
    );
    this.#connection = connection;
    this.#bot = { ...this.#bot, login: connection.login };
    try {
      await this.#join(connection, signal);
      return connection;
    } catch (reason) {
      this.#channels.leave();
      await connection.close();
      throw reason;
    }
  }

  /** The connection may end in the middle of it. */
  async #join(connection: ChatConnection, signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    void connection.closed.then(({ error }) => ended.reject(error));
    const onAbort = (): void => ended.reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#channels.join(connection), ended.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #onLost(error: GatewayError): void {
    const { context, attendance } = this.#parts;
    attendance.end();
    this.#connection = null;
    this.#channels.leave();
    this.speaker.lost();
    context.log.info("twitch-reconnecting", { reason: error.message });
    context.reconnecting(error.message);
  }

  #onLine(line: ChatLine): void {
    switch (line.command) {
      case "GLOBALUSERSTATE":
        this.#bot = {
          ...this.#bot,
          userId: line.tags.get("user-id") ?? null,
          displayName: line.tags.get("display-name") ?? "",
        };
        break;
      case "USERSTATE":
        this.#channels.onLine(line);
        this.speaker.onLine(line);
        break;
      case "NOTICE":
        // Before the bot is in, it is about the JOIN; while it leaves, about what it said last.
        if (this.#isEnding || this.#channels.isJoined(channelOf(line) ?? "")) this.speaker.onLine(line);
        else this.#channels.onLine(line);
        break;
      case "JOIN":
      case "PART":
      case "366":
      case "ROOMSTATE":
        this.#channels.onLine(line);
        break;
      case "002":
      case "003":
      case "004":
      case "353":
      case "372":
      case "375":
        break;
      default:
        this.#hearing.onLine(line);
    }
  }

  #send(line: string): void {
    if (this.#connection === null)
      throw new GatewayError("platform_unavailable", "Cannot send to Twitch: there is no connection just now");
    this.#connection.send(line);
  }
}
