/** The SMTP server of the emulated provider: takes the adapter's mails, keeps those for other people, and has faults on command. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import type { PlatformFault } from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import type { FaultBoard } from "../fault-board.ts";

/** A mail as it was taken. */
export type TakenMail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
  readonly mail: ParsedMail;
};

/** Who may send. */
export type AgentOptions = {
  readonly user: string;
  readonly password: string;
  readonly faults: FaultBoard;
  readonly onTaken?: (taken: TakenMail) => void;
  /** Of the SMTP server; default: no TLS. */
  readonly server?: SMTPServerOptions;
};

/** What is done with a mail that is there in full, before the server says so. */
export type AtEnd = "take" | "cut" | "take_and_cut" | "hang" | { readonly refuse: number; readonly text: string };

/** See the file's comment. */
export class MailTransferAgent implements AsyncDisposable {
  readonly taken = new Observed<TakenMail>();
  /** Every login, right or wrong. */
  readonly logins = new Observed<string>();
  /** For the next mails, until it is changed. */
  atEnd: AtEnd = "take";
  /** What the provider does with a mail that it takes, before it says so, such as keeping a copy. */
  keep: (taken: TakenMail) => Promise<void> = async () => {};
  readonly #options: AgentOptions;
  readonly #server: Server;
  readonly #smtp: SMTPServer;
  readonly #sockets = new Map<number, Socket>();
  readonly #held = new Set<Socket>();
  #onClosed: () => void = () => {};

  private constructor(options: AgentOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.#smtp = new SMTPServer({
      ...(options.server === undefined ? { disabledCommands: ["STARTTLS"] } : options.server),
      authOptional: false,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      logger: false,
      onAuth: ({ username, password, accessToken }, _, callback) => {
        this.logins.add(accessToken ?? password ?? "");
        const isRight =
          username === options.user && (password === options.password || accessToken === options.password);
        if (isRight) callback(null, { user: username });
        else callback(refusal(535, "5.7.8 Authentication credentials invalid"));
      },
      onMailFrom: (_, session, callback) => this.#onMailFrom(session, callback),
      onData: (stream, session, callback: (reason?: Error | null, text?: string) => void) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => void this.#onMail(Buffer.concat(chunks), session, callback));
      },
    });
    this.#smtp.on("error", () => {});
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  static async start(options: AgentOptions): Promise<MailTransferAgent> {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return new MailTransferAgent(options, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  onSocketClosed(told: () => void): void {
    this.#onClosed = told;
  }

  /** What hangs is cut. */
  liftFault(): void {
    this.#options.faults.lift("send");
    for (const socket of this.#held) socket.destroy();
  }

  dropConnections(): void {
    for (const socket of this.#sockets.values()) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }

  #onConnection(socket: Socket): void {
    const { remotePort = 0 } = socket;
    this.#sockets.set(remotePort, socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(remotePort);
      this.#held.delete(socket);
      this.#onClosed();
    });
    this.#smtp.connect(socket);
  }

  #onMailFrom(session: SMTPServerSession, callback: (reason?: Error | null) => void): void {
    const fault = this.#options.faults.meet("send");
    if (fault === null) callback();
    else this.#fail(fault, session, callback);
  }

  #fail(fault: PlatformFault, session: SMTPServerSession, callback: (reason?: Error | null) => void): void {
    switch (fault.kind) {
      case "hang":
        this.#hold(session);
        break;
      case "drop":
        this.#socketOf(session)?.resetAndDestroy();
        break;
      case "rate_limit":
        callback(refusal(451, `4.7.1 Rate limit exceeded, try again in ${fault.retryAfterSeconds} seconds`));
        break;
      case "server_error":
        callback(refusal(451, "4.3.0 Temporary server error"));
        break;
      case "bad_credentials":
        callback(refusal(530, "5.7.0 Authentication required"));
        break;
    }
  }

  async #onMail(
    raw: Buffer,
    session: SMTPServerSession,
    callback: (reason?: Error | null, text?: string) => void,
  ): Promise<void> {
    const { atEnd } = this;
    if (atEnd === "take" || atEnd === "take_and_cut") {
      const { mailFrom, rcptTo } = session.envelope;
      const from = mailFrom === false ? "" : mailFrom.address;
      const taken = { from, to: rcptTo.map(({ address }) => address), raw, mail: await simpleParser(raw) };
      this.#options.onTaken?.(taken);
      this.taken.add(taken);
      await this.keep(taken);
    }
    if (atEnd === "take") callback(null, "2.0.0 Queued");
    else if (atEnd === "hang") this.#hold(session);
    else if (typeof atEnd === "object") callback(refusal(atEnd.refuse, atEnd.text));
    else this.#socketOf(session)?.resetAndDestroy();
  }

  #hold(session: SMTPServerSession): void {
    const socket = this.#socketOf(session);
    if (socket !== null) this.#held.add(socket);
  }

  #socketOf({ remotePort }: SMTPServerSession): Socket | null {
    return this.#sockets.get(remotePort) ?? null;
  }
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
