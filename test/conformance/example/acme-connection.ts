/** One TCP connection to Acme, logged in: JSON lines both ways, each call with a deadline, and one end. */
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { HistoryMessage } from "../../../src/contract/message.ts";
import { GatewayError } from "../../../src/library.ts";
import { parseEvent, type AcmeEvent, type Line } from "./acme-events.ts";
import { refusalOf } from "./acme-refusal.ts";

/** Where to connect, and who hears of it. */
export type AcmeConnectionOptions = {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Ends the connection. */
  readonly signal: AbortSignal;
  onFrame(): void;
  /** May come before {@link AcmeConnection.open} resolves. */
  onEvent(event: AcmeEvent, connection: AcmeConnection): void;
  /** So many lines said nothing that Acme's documentation knows; once a minute at most. */
  onIgnored(count: number): void;
  /** Once, after a successful login. `null`: it was ended by us. */
  onClosed(reason: GatewayError | null): void;
};

type Call = { readonly resolve: (line: Line) => void; readonly reject: (reason: GatewayError) => void };

const loginDeadlineMs = 10_000;
const callDeadlineMs = 10_000;
const pingPeriodMs = 1_000;
const ignoredPeriodMs = 60_000;

/** A connection that is logged in, or over. */
export class AcmeConnection {
  readonly #socket: Socket;
  readonly #options: AcmeConnectionOptions;
  readonly #calls = new Map<number, Call>();
  readonly #login = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #lastRef = 0;
  #ignored = 0;
  #ignoredAtMs = Number.NEGATIVE_INFINITY;
  #reason: GatewayError | null = null;
  #isLoggedIn = false;
  #isOurEnd = false;
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
    // Only the answers count: a connection on which none comes is silent, and its supervisor ends it.
    connection.#pings = setInterval(() => connection.#write({ type: "ping" }), pingPeriodMs);
    return connection;
  }

  /** Asks for a sign of life. @throws {GatewayError} when there is none. */
  async ping(): Promise<void> {
    await this.call({ type: "ping" }, this.#options.signal);
  }

  /** Tells Acme that event `id` is ours now. */
  acknowledge(id: string): void {
    this.#write({ type: "ack", id });
  }

  /** What was said in a room, the oldest first. @throws {GatewayError} `not_found`. */
  async past(
    request: { readonly room: string; readonly limit: number; readonly before: string | null },
    signal: AbortSignal,
  ): Promise<readonly HistoryMessage[]> {
    const { messages } = await this.call({ type: "history", ...request }, signal);
    // Acme's own answer, in the form that its documentation promises.
    const newestFirst = messages as readonly {
      readonly user: { readonly name: string } | null;
      readonly text: string;
      readonly atMs: number;
    }[];
    return newestFirst.toReversed().map(({ user, text, atMs }) => ({
      author: user?.name ?? "bot",
      text,
      isBot: user === null,
      timestamp: new Date(atMs).toISOString(),
    }));
  }

  /** Writes a file's bytes to `path`. @throws {GatewayError} `too_large`, `not_found`. */
  async download(
    request: { readonly id: string; readonly path: string; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number }> {
    const { data } = await this.call({ type: "fetch", id: request.id, maxBytes: request.maxBytes }, signal);
    const bytes = Buffer.from(String(data), "base64");
    if (bytes.length > request.maxBytes)
      throw new GatewayError("too_large", `Cannot take the file: it is ${bytes.length} bytes long`);
    await writeFile(request.path, bytes, { flag: "wx", mode: 0o600, signal });
    return { sizeBytes: bytes.length };
  }

  /** Asks Acme for something; resolves with its answer. @throws {GatewayError} what Acme says against it, or `timeout`. */
  async call(line: Line, signal: AbortSignal): Promise<Line> {
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
    try {
      return await answer.promise;
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener("abort", onAbort);
      this.#calls.delete(ref);
    }
  }

  /** Ends it, for `reason`. */
  close(reason: GatewayError): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  /** Ends it; resolves when the socket is closed. */
  async end(): Promise<void> {
    this.#isOurEnd ||= !this.#socket.destroyed;
    this.#socket.destroy();
    await this.#gone.promise;
  }

  #write(line: Line): void {
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  #onLine(text: string): void {
    let line: unknown = null;
    try {
      line = JSON.parse(text);
    } catch {
      // What is no JSON says nothing, as does what is no object.
    }
    if (typeof line !== "object" || line === null) return this.#ignore();
    this.#options.onFrame();
    this.#onMessage(line as Line);
  }

  #onMessage(line: Line): void {
    const { type, ref, id } = line;
    const call = typeof ref === "number" ? this.#calls.get(ref) : undefined;
    if (call !== undefined) return type === "refused" ? call.reject(refusalOf(line)) : call.resolve(line);
    // To a ping, or to a call that did not wait so long.
    if (type === "pong" || ref !== undefined) return;
    if (type === "welcome") return this.#login.resolve();
    if (type === "refused") return this.close(refusalOf(line));
    const event = parseEvent(line);
    if (event !== null) return this.#options.onEvent(event, this);
    this.#ignore();
    // It would come again for ever.
    if (typeof id === "string") this.acknowledge(id);
  }

  #ignore(): void {
    this.#ignored += 1;
    if (Date.now() - this.#ignoredAtMs < ignoredPeriodMs) return;
    this.#ignoredAtMs = Date.now();
    this.#options.onIgnored(this.#ignored);
  }

  #onClose(): void {
    if (this.#pings !== null) clearInterval(this.#pings);
    const isOurEnd = this.#isOurEnd || this.#options.signal.aborted;
    const reason = this.#reason ?? new GatewayError("platform_unavailable", "Cannot go on: Acme closed the connection");
    this.#login.reject(reason);
    this.#login.promise.catch(() => {});
    for (const call of this.#calls.values()) call.reject(reason);
    if (this.#isLoggedIn) this.#options.onClosed(isOurEnd ? null : reason);
    this.#gone.resolve();
  }
}
