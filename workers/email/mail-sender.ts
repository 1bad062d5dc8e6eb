/** Mails out: one connection, kept for a while, one mail at a time, and for each a clear word on whether it was taken. */
import { createTransport, type SMTPPoolOptions } from "nodemailer";
import { GatewayError } from "../../src/contract/errors.ts";
import { deadline } from "../../src/support/deadline.ts";
import { withDeadline } from "../../src/support/time.ts";
import { Turns } from "../../src/support/turns.ts";
import type { MailAccount, MailServer } from "./account.ts";
import { errorOfSmtp } from "./smtp-error.ts";
import { SmtpSockets } from "./smtp-sockets.ts";

/** Of one phase each, milliseconds; the library's own are minutes. */
const greetingTimeoutMs = 8_000;
const socketTimeoutMs = 20_000;
/** Of all of it, waiting for earlier mails included: what comes after it has to fit into the outbox's thirty seconds. */
const sendDeadlineMs = 22_000;
/** Nobody is kept waiting for a server that only answers are for. */
const verifyDeadlineMs = 5_000;
/** Below what servers grant an idle client. */
const idleMs = 30_000;

/** See the file's comment. Disposing fails what is on its way. */
export class MailSender implements Disposable {
  readonly #account: MailAccount;
  readonly #sockets: SmtpSockets;
  readonly #transport: ReturnType<typeof createPool>;
  readonly #ending = new AbortController();
  readonly #turns = new Turns();
  /** The mail whose turn it is. `isWritten`: the server has every byte of it. */
  #saying = { isWritten: false };

  constructor(account: MailAccount) {
    this.#account = account;
    this.#sockets = new SmtpSockets(account.smtp);
    this.#transport = createPool(account.smtp, this.#sockets, () => (this.#saying.isWritten = true));
  }

  /**
   * Resolves when the server has taken `raw`, a whole mail to one address.
   * @throws {GatewayError} `timeout` where it may have been taken, and nobody knows; any other: it was not.
   */
  async send(raw: Buffer, { to, signal }: { readonly to: string; readonly signal: AbortSignal }): Promise<void> {
    const error = new GatewayError("platform_unavailable", `no answer within ${sendDeadlineMs} ms`);
    using late = deadline(sendDeadlineMs, { error, signal: AbortSignal.any([signal, this.#ending.signal]) });
    const ending = late.signal;
    ending.throwIfAborted();
    const own = { isWritten: false };
    try {
      await this.#turns.take(async () => {
        this.#saying = own;
        const envelope = { from: this.#account.from.address, to: [to] };
        await this.#transport.sendMail({ envelope, raw, signal: ending });
      }, ending);
    } catch (reason) {
      // What the signal says is no word of the server's.
      const found = ending.aborted ? { message: GatewayError.from(ending.reason).message } : reason;
      throw errorOfSmtp(found, { what: "send the mail", isWritten: own.isWritten, redact: this.#account.redact });
    }
  }

  /** Logs in and out. @throws {GatewayError} `unauthorized` and others. */
  async verify(): Promise<void> {
    try {
      await withDeadline(this.#transport.verify(), verifyDeadlineMs, "The login");
    } catch (reason) {
      throw errorOfSmtp(reason, {
        what: "log in to the SMTP server",
        isWritten: false,
        redact: this.#account.redact,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.#transport.close({ force: true });
    this.#sockets[Symbol.dispose]();
  }
}

/** `onWritten`: the last byte of a mail has left. */
function createPool(server: MailServer, sockets: SmtpSockets, onWritten: () => void) {
  const { host, port, encryption, user, password, accessToken } = server;
  const quiet = (): void => {};
  // The library says it in its log alone, and the server's next word is whether it takes the mail.
  const onInfo = (entry: unknown): void => {
    if ((Object(entry) as { readonly tnx?: unknown }).tnx === "message") onWritten();
  };
  const options: SMTPPoolOptions & { readonly pool: true } = {
    pool: true,
    maxConnections: 1,
    // A kept connection that the server has closed meanwhile: another one is tried, once.
    maxRequeues: 1,
    idleTimeout: idleMs,
    host,
    port,
    secure: encryption === "tls",
    requireTLS: encryption === "starttls",
    ignoreTLS: encryption === "none",
    getSocket: (_, callback) => sockets.open(callback),
    auth: accessToken === "" ? { user, pass: password } : { type: "OAuth2", user, accessToken },
    greetingTimeout: greetingTimeoutMs,
    connectionTimeout: socketTimeoutMs,
    socketTimeout: socketTimeoutMs,
    logger: { trace: quiet, debug: quiet, info: onInfo, warn: quiet, error: quiet, fatal: quiet },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const transport = createTransport(options);
  // Without a listener an error of a connection that nobody uses would end the thread.
  transport.on("error", quiet);
  return transport;
}
