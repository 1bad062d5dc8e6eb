/** One TCP connection to Acme, logged in: JSON lines both ways, each call with a deadline, and one end. */
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { GatewayError } from "../../../src/library.ts";

/** What somebody said there. */
export type AcmeMessage = {
  readonly id: string;
  readonly room: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly text: string;
  readonly files: readonly {
    readonly id: string;
    readonly name: string;
    readonly mime: string;
    readonly size: number;
  }[];
};

/** Where to connect, and who hears of it. */
export type AcmeConnectionOptions = {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Ends the connection. */
  readonly signal: AbortSignal;
  onFrame(): void;
  onMessage(message: AcmeMessage): void;
  /** Once, after a successful login. `null`: it was ended by us. */
  onClosed(reason: GatewayError | null): void;
};

type Line = Readonly<Record<string, unknown>> & { readonly type?: unknown; readonly ref?: unknown };
type Call = { readonly resolve: (line: Line) => void; readonly reject: (reason: GatewayError) => void };

const loginDeadlineMs = 10_000;
const callDeadlineMs = 10_000;
const pingPeriodMs = 5_000;

/** A connection that is logged in, or over. */
export class AcmeConnection {
  readonly #socket: Socket;
  readonly #options: AcmeConnectionOptions;
  readonly #calls = new Map<number, Call>();
  readonly #login = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #lastRef = 0;
  #reason: GatewayError | null = null;
  #isLoggedIn = false;
  #pings: NodeJS.Timeout | null = null;

  private constructor(options: AcmeConnectionOptions) {
    this.#options = options;
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true, signal: options.signal });
    this.#socket.on("error", (reason: NodeJS.ErrnoException) =>
      this.close(new GatewayError("platform_unavailable", `Cannot reach Acme: ${reason.code ?? "its socket failed"}`)),
    );
    this.#socket.once("close", () => this.#onClose());
    const lines = createInterface({ input: this.#socket });
    lines.on("line", (line) => this.#onLine(line));
    // It repeats the socket's own errors.
    lines.on("error", () => {});
  }

  /**
   * Connects and logs in.
   * @throws {GatewayError} `unauthorized`, `rate_limited`, `platform_unavailable`.
   */
  static async open(options: AcmeConnectionOptions): Promise<AcmeConnection> {
    const connection = new AcmeConnection(options);
    const late = new GatewayError("platform_unavailable", `Cannot log in to Acme: no answer in ${loginDeadlineMs} ms`);
    const deadline = setTimeout(() => connection.close(late), loginDeadlineMs);
    connection.#write({ type: "login", token: options.token });
    try {
      await connection.#login.promise;
    } finally {
      clearTimeout(deadline);
    }
    connection.#isLoggedIn = true;
    connection.#pings = setInterval(() => {
      connection.ping().catch((reason: unknown) => connection.close(GatewayError.from(reason)));
    }, pingPeriodMs);
    return connection;
  }

  /** Asks for a sign of life. @throws {GatewayError} when there is none. */
  async ping(): Promise<void> {
    await this.#ask({ type: "ping" }, this.#options.signal);
  }

  /** Tells Acme that `id` is ours now. */
  acknowledge(id: string): void {
    this.#write({ type: "ack", id });
  }

  /** Makes Acme show something. Resolves with its id. @throws {GatewayError} what Acme says against it. */
  async call(call: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string> {
    const { id } = await this.#ask(call, signal);
    return String(id);
  }

  /** Writes a file's bytes to `path`. @throws {GatewayError} `too_large`, `not_found`. */
  async download(
    request: { readonly id: string; readonly path: string; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number }> {
    const { data } = await this.#ask({ type: "fetch", id: request.id, maxBytes: request.maxBytes }, signal);
    const bytes = Buffer.from(String(data), "base64");
    if (bytes.length > request.maxBytes)
      throw new GatewayError("too_large", `Cannot take the file: it is ${bytes.length} bytes long`);
    await writeFile(request.path, bytes, { flag: "wx", mode: 0o600, signal });
    return { sizeBytes: bytes.length };
  }

  /** Ends it, for `reason` or because we want to. */
  close(reason: GatewayError | null): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  /** Ends it; resolves when the socket is closed. */
  async end(): Promise<void> {
    this.close(null);
    await this.#gone.promise;
  }

  #ask(line: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Line> {
    this.#lastRef += 1;
    const ref = this.#lastRef;
    const answer = Promise.withResolvers<Line>();
    this.#calls.set(ref, answer);
    const end = (message: string): void =>
      answer.reject(new GatewayError(signal.aborted ? "adapter_unavailable" : "timeout", message));
    const deadline = setTimeout(() => end(`Cannot wait for Acme: no answer in ${callDeadlineMs} ms`), callDeadlineMs);
    const onAbort = (): void => end("Cannot wait for Acme: the adapter stops");
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (this.#socket.destroyed)
      answer.reject(new GatewayError("platform_unavailable", "Cannot reach Acme: its connection is closed"));
    else this.#write({ ...line, ref });
    return answer.promise.finally(() => {
      clearTimeout(deadline);
      signal.removeEventListener("abort", onAbort);
      this.#calls.delete(ref);
    });
  }

  #write(line: Readonly<Record<string, unknown>>): void {
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  #onLine(text: string): void {
    let line: Line | null;
    try {
      line = JSON.parse(text) as Line | null;
    } catch {
      // What is no JSON says nothing.
      return;
    }
    if (typeof line !== "object" || line === null) return;
    this.#options.onFrame();
    const call = typeof line.ref === "number" ? this.#calls.get(line.ref) : undefined;
    if (line.type === "welcome") this.#login.resolve();
    else if (line.type === "refused" && call === undefined) this.close(refusalOf(line));
    else if (line.type === "message") {
      const message = parseMessage(line);
      if (message !== null) this.#options.onMessage(message);
    } else if (line.type === "refused") call?.reject(refusalOf(line));
    else call?.resolve(line);
  }

  #onClose(): void {
    if (this.#pings !== null) clearInterval(this.#pings);
    const isAborted = this.#options.signal.aborted;
    const reason = this.#reason ?? new GatewayError("platform_unavailable", "Cannot go on: Acme closed the connection");
    this.#login.reject(reason);
    this.#login.promise.catch(() => {});
    for (const call of this.#calls.values()) call.reject(reason);
    if (this.#isLoggedIn) this.#options.onClosed(isAborted ? null : reason);
    this.#gone.resolve();
  }
}

/** What Acme says against something, as what a supervisor and a consumer act on. */
function refusalOf({ reason, retryAfterSeconds }: Line): GatewayError {
  switch (reason) {
    case "bad_token":
      return new GatewayError("unauthorized", "Cannot log in to Acme: the token was refused", {
        userAction: "Put a token from Acme's settings page into [messaging.acme.settings]",
      });
    case "busy":
      return new GatewayError("rate_limited", "Cannot do this yet: Acme asks to wait", {
        retry: { kind: "after", delayMs: Number(retryAfterSeconds) * 1_000 },
      });
    case "no_such_room":
    case "no_such_message":
    case "no_such_file":
      return new GatewayError("not_found", `Cannot do this: Acme says ${reason}`);
    case "too_large":
      return new GatewayError("too_large", "Cannot take the file: it is larger than allowed");
    case "too_long":
      return new GatewayError("message_rejected", "Cannot say this: it is too long for Acme");
    default:
      return new GatewayError("platform_unavailable", "Cannot do this: Acme has a problem of its own");
  }
}

function parseMessage(line: Line): AcmeMessage | null {
  const { id, room, user, text, files = [] } = line as Partial<AcmeMessage>;
  const isWhole =
    typeof id === "string" && typeof room === "string" && typeof text === "string" && Array.isArray(files);
  if (!isWhole || typeof user?.id !== "string" || typeof user.name !== "string") return null;
  return { id, room, user, text, files };
}
