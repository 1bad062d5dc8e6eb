/**
 * One WebSocket to chat, with tmi.js behind it: the library logs in, parses and sends. What would end the thread or leave it silent
 * for minutes is kept away from it: frames it cannot read, its own reconnecting, a socket that never closes.
 */
import { WebSocket } from "ws";
import { GatewayError } from "../../src/contract/errors.ts";
import { errnoOf } from "../../src/support/errno.ts";
import { after } from "../../src/support/time.ts";
import { chatLineOf, type ChatLine } from "./chat-line.ts";
import { createClient, type TmiClient } from "./tmi-library.ts";

/** Where to connect as whom, and who hears of it. */
export type ChatSocketOptions = {
  readonly url: string;
  readonly login: string;
  readonly token: string;
  /** Anything came. */
  readonly onFrame: () => void;
  readonly onLine: (line: ChatLine) => void;
  /** Something came that makes no sense; `kind` is a command or a word for it. */
  readonly onMalformed: (kind: string) => void;
};

/** A line has 8 KiB of tags and 512 bytes; a frame has a few of them. */
const longestFrameBytes = 1_048_576;
/** For the other side to join in. */
const closeTimeoutMs = 500;
const commandForm = /^(?:@\S+ +)?(?::\S+ +)?([A-Z]+|\d{3})(?: |$)/u;

/** The library's own words: everything that matters is reported from here. */
const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** Connects at once. */
export class ChatSocket {
  /** Resolves once it is gone, with why; `null`: the other side closed it, or we did. */
  readonly closed: Promise<GatewayError | null>;
  readonly #options: ChatSocketOptions;
  readonly #socket: WebSocket;
  readonly #client: TmiClient;
  readonly #closed = Promise.withResolvers<GatewayError | null>();
  #error: GatewayError | null = null;
  #parsed: unknown = null;
  #isWelcomed = false;

  constructor(options: ChatSocketOptions) {
    this.#options = options;
    this.closed = this.#closed.promise;
    this.#socket = new WebSocket(options.url, "irc", { maxPayload: longestFrameBytes, perMessageDeflate: false });
    this.#client = this.#createClient();
    this.#listen();
    // It only opens the socket: how that went is heard from the socket itself, since the library may take its end for success.
    this.#client.connect().catch(() => {});
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends one line. @throws {GatewayError} `platform_unavailable` when there is no connection: it was not sent. */
  send(line: string): void {
    if (/[\r\n\0]/u.test(line)) throw new TypeError("Cannot send a line: it holds a line break");
    if (!this.isOpen) throw new GatewayError("platform_unavailable", "Cannot send to Twitch: there is no connection");
    // The socket is open, and the library asks for nothing else.
    this.#client.raw(line).catch(() => {});
  }

  /** Closes it, by force when the other side does not join in. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#socket.close(1000);
    using _force = after(closeTimeoutMs, () => this.#socket.terminate());
    await this.closed;
  }

  #createClient(): TmiClient {
    const { login, token } = this.#options;
    const client = createClient({
      options: { skipMembership: true, skipUpdatingEmotesets: true },
      connection: { reconnect: false },
      identity: { username: login, password: `oauth:${token}` },
      logger: silent,
    });
    client._openConnection = () => {
      client.ws = this.#socket;
    };
    client.on("raw_message", (parsed) => {
      this.#parsed = parsed;
    });
    return client;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("open", () => this.#client._onOpen());
    socket.on("message", (data: Buffer, isBinary) => {
      this.#options.onFrame();
      if (isBinary) this.#options.onMalformed("binary frame");
      else for (const line of data.toString().split(/\r?\n/u)) if (line.trim() !== "") this.#onText(line);
    });
    socket.on("unexpected-response", (_, response) => {
      const { statusCode = 0, headers } = response;
      this.#error = refusal(statusCode, headers["retry-after"]);
      socket.terminate();
    });
    socket.on("error", (reason: Error) => {
      const found = errnoOf(reason) ?? "the connection broke";
      this.#error ??= new GatewayError("platform_unavailable", `Cannot reach Twitch's chat: ${found}`);
    });
    socket.on("close", () => {
      this.#client._onClose();
      this.#closed.resolve(this.#error);
    });
  }

  #onText(text: string): void {
    const command = commandForm.exec(text)?.[1] ?? "";
    // The library answers without the text that must come back.
    if (command === "PING") return this.#pong(text);
    // It would close the connection and make another by itself.
    if (command === "RECONNECT") return this.#options.onLine(asked);
    // With a second welcome it would begin to ping a second time, and never end that.
    if (command === "376" && this.#isWelcomed) return this.#options.onMalformed(command);
    this.#isWelcomed ||= command === "376";
    // It knows a PONG only without a prefix.
    const line = this.#parse(command === "PONG" ? "PONG" : text);
    if (line === null) this.#options.onMalformed(command === "" ? "no command" : command);
    else this.#options.onLine(line);
  }

  /** `null`: the library cannot read it, or breaks at it. */
  #parse(text: string): ChatLine | null {
    this.#parsed = null;
    try {
      this.#client._onMessage({ data: text });
      return chatLineOf(this.#parsed);
    } catch {
      // A PRIVMSG or NOTICE without text, for one. Whoever counts such lines is told.
      return null;
    }
  }

  #pong(text: string): void {
    const colon = text.indexOf(" :", text.indexOf("PING"));
    if (this.isOpen) this.send(`PONG :${colon === -1 ? "tmi.twitch.tv" : text.slice(colon + 2)}`);
  }
}

/** Before they close a connection, Twitch's servers ask to make another. */
const asked: ChatLine = { command: "RECONNECT", prefix: "", tags: new Map(), params: [] };

function refusal(status: number, retryAfter: string | undefined): GatewayError {
  const seconds = Number(retryAfter);
  const wait = seconds > 0 ? { retry: { kind: "after", delayMs: seconds * 1_000 } as const } : {};
  const code = status === 429 ? "rate_limited" : "platform_unavailable";
  return new GatewayError(code, `Cannot reach Twitch's chat: found HTTP ${status}, expected 101`, wait);
}
