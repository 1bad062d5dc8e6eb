/**
 * One connection to the mailbox. The library's client cannot be connected twice, never ends a command that nobody answers,
 * and says why it ended in three places: here a connection has one life, every wait has an end, and one reason ends it.
 */
import { ImapFlow, type ImapFlowOptions, type MailboxObject } from "imapflow";
import { GatewayError } from "../../src/contract/errors.ts";
import { after, every, orAborted, steadyNow } from "../../src/support/time.ts";
import type { MailAccount } from "./account.ts";
import { errorOfImap } from "./imap-error.ts";
import { loopbackLookup } from "./loopback-lookup.ts";

/** For each phase of connecting, milliseconds. */
const connectTimeoutMs = 8_000;
/** With the login. */
const loginDeadlineMs = 20_000;
/** A command that nothing is heard of for this long has nobody at the other end. Answers may be long: what counts is silence. */
const silenceMs = 30_000;
const longestCommandMs = 300_000;
const watchPeriodMs = 500;
/** The library's own watchdog, for where nothing of ours runs. */
const socketTimeoutMs = 240_000;
/** What a server may send at once: more than any answer to what is asked here. */
const limits = {
  maxLineLength: 16_777_216,
  maxLiteralSize: 33_554_432,
  maxResponseSize: 67_108_864,
  maxResponseTokens: 500_000,
} as const;

/** What its owner hears of a connection. */
export type ConnectionListener = {
  /** Something came from the server. */
  readonly onFrame: () => void;
  /** The open folder has other mails than before. */
  readonly onNews: () => void;
};

/** See the file's comment. Disposing cuts it. */
export class ImapConnection implements Disposable {
  /** Resolves with why it is over. */
  readonly gone: Promise<GatewayError>;
  readonly #client: ImapFlow;
  readonly #account: MailAccount;
  readonly #listener: ConnectionListener;
  readonly #over = Promise.withResolvers<GatewayError>();
  readonly #waiting = new Set<(reason: GatewayError) => void>();
  #failure: GatewayError | null = null;
  #lastError: unknown = null;
  #commands = 0;
  #lastHeardAtMs = steadyNow();

  private constructor(account: MailAccount, listener: ConnectionListener) {
    this.#account = account;
    this.#listener = listener;
    this.gone = this.#over.promise;
    const quiet = (): void => {};
    const onWarning = ({ throttleDelay }: { readonly throttleDelay?: unknown }): void => {
      // The library waits for as long as the server says before it tells.
      if (typeof throttleDelay === "number")
        this.#fail({ message: "The server asks to wait", throttleReset: throttleDelay });
    };
    this.#client = new ImapFlow({
      ...optionsOf(account),
      logger: { debug: quiet, info: quiet, warn: onWarning, error: quiet },
    });
    // Without a listener a cut would end the thread.
    this.#client.on("error", (reason) => (this.#lastError = reason));
    this.#client.on("close", () => {
      const { byeReason } = this.#client;
      this.#fail(this.#lastError ?? { message: "the server closed the connection", reason: byeReason });
    });
    this.#client.on("exists", () => {
      this.#heard();
      listener.onNews();
    });
  }

  /** Connected and logged in. @throws {GatewayError} `unauthorized`, `rate_limited`, `timeout`, `platform_unavailable`. */
  static async open(
    account: MailAccount,
    { signal, ...listener }: ConnectionListener & { readonly signal: AbortSignal },
  ): Promise<ImapConnection> {
    signal.throwIfAborted();
    const connection = new ImapConnection(account, listener);
    const late = new GatewayError("platform_unavailable", "Cannot log in to the IMAP server: it does not answer");
    using _deadline = after(loginDeadlineMs, () => connection.#fail(late));
    const onAbort = (): void => connection[Symbol.dispose]();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await connection.#client.connect();
      connection.#heard();
      return connection;
    } catch (reason) {
      connection[Symbol.dispose]();
      signal.throwIfAborted();
      if (connection.#failure === late) throw late;
      throw connection.#throttled() ?? connection.#errorOf("log in to the IMAP server", reason);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  get isOver(): boolean {
    return this.#failure !== null;
  }

  /** Whether it tells of news by itself. */
  get hasIdle(): boolean {
    return this.#client.capabilities.has("IDLE");
  }

  /** The open folder. */
  get mailbox(): MailboxObject | null {
    return this.#client.mailbox || null;
  }

  /** Nothing is being asked of the server. */
  get isQuiet(): boolean {
    return this.#commands === 0;
  }

  /** For how long nothing has come. */
  get silentForMs(): number {
    return steadyNow() - this.#lastHeardAtMs;
  }

  /**
   * What `ask` resolves with. `what` is for the error's message: "Cannot …".
   * @throws {GatewayError} what the server refused; the reason of the connection's end, also when it ended by this silence.
   */
  async run<Answer>(
    what: string,
    ask: (client: ImapFlow) => Promise<Answer>,
    options: { readonly silenceMs?: number } = {},
  ): Promise<Answer> {
    this.#throwIfOver();
    this.#commands += 1;
    using _watch = this.#watch(what, options.silenceMs ?? silenceMs);
    try {
      const answer = await this.orOver(ask(this.#client));
      // Some calls of the library resolve when the connection ends under them.
      this.#throwIfOver();
      this.#heard();
      return answer;
    } catch (reason) {
      throw this.#failure ?? this.#errorOf(what, reason);
    } finally {
      this.#commands -= 1;
    }
  }

  /** Proof that the server is there. Ends a wait for news. @throws {GatewayError} when it is not. */
  async check(deadlineMs: number): Promise<void> {
    await this.run("reach the IMAP server", (client) => client.noop(), { silenceMs: deadlineMs });
  }

  /** Waits for news until another command is run, or the server ends it. */
  async idle(signal: AbortSignal): Promise<"ended" | "refused"> {
    this.#throwIfOver();
    const answer = await orAborted(this.orOver(this.#client.idle()), signal);
    this.#throwIfOver();
    return answer === false ? "refused" : "ended";
  }

  /**
   * `promise`, or the end of the connection. Not a race with `gone`, which would keep every such race for its own life.
   * @throws {GatewayError} why it is over.
   */
  async orOver<Value>(promise: Promise<Value>): Promise<Value> {
    const over = Promise.withResolvers<never>();
    this.#waiting.add(over.reject);
    promise.catch(() => {});
    try {
      return await Promise.race([promise, over.promise]);
    } finally {
      this.#waiting.delete(over.reject);
    }
  }

  [Symbol.dispose](): void {
    this.#fail(new GatewayError("adapter_unavailable", "The connection is not needed any more"));
  }

  #heard(): void {
    this.#lastHeardAtMs = steadyNow();
    this.#listener.onFrame();
  }

  #watch(what: string, longestSilenceMs: number): Disposable {
    const startedAtMs = steadyNow();
    let received = this.#client.stats().received;
    let quietSinceMs = startedAtMs;
    const look = (): void => {
      const nowMs = steadyNow();
      const now = this.#client.stats().received;
      if (now !== received) {
        received = now;
        quietSinceMs = nowMs;
        this.#heard();
      }
      const isDead = nowMs - quietSinceMs >= longestSilenceMs || nowMs - startedAtMs >= longestCommandMs;
      if (isDead) this.#fail(new GatewayError("platform_unavailable", `Cannot ${what}: the server does not answer`));
    };
    return every(watchPeriodMs, look, () => {});
  }

  #fail(reason: unknown): void {
    if (this.#failure !== null) return;
    const failure = this.#errorOf("keep the IMAP connection", reason);
    this.#failure = failure;
    this.#over.resolve(failure);
    for (const reject of this.#waiting) reject(failure);
    this.#client.close();
  }

  #errorOf(what: string, reason: unknown): GatewayError {
    return errorOfImap(reason, { what, redact: this.#account.redact });
  }

  /** Told by the server before the library gave up on it. */
  #throttled(): GatewayError | null {
    return this.#failure?.code === "rate_limited" ? this.#failure : null;
  }

  #throwIfOver(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

function optionsOf({ imap }: MailAccount): ImapFlowOptions {
  const { host, port, user, password, accessToken, encryption } = imap;
  return {
    host,
    port,
    secure: encryption === "tls",
    ...(encryption === "starttls" ? { doSTARTTLS: true } : {}),
    ...(encryption === "none" ? { doSTARTTLS: false, tls: { lookup: loopbackLookup() } } : {}),
    auth: accessToken === "" ? { user, pass: password } : { user, accessToken },
    // The library would add its own version and vendor.
    clientInfo: { name: "Bulkhead", version: false, vendor: false, "support-url": false },
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: socketTimeoutMs,
    disableAutoIdle: true,
    disableCompression: true,
    ...limits,
  };
}
