/**
 * What stands between the adapter and Dovecot: passes everything on, sees what is marked as read, and has the faults that
 * no real server has on command.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { PlatformFault } from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import type { FaultBoard } from "../fault-board.ts";

/** One connection of the adapter's. */
type Link = {
  readonly client: Socket;
  readonly server: Socket | null;
  /** Met when it was opened, and acted on when it logs in. */
  readonly loginFault: PlatformFault | null;
  isLoggedIn: boolean;
  isFrozen: boolean;
  isHeld: boolean;
  /** Of the client, without a line's end. */
  rest: string;
  /** UIDs that are being marked, by the command's tag. */
  readonly marking: Map<string, readonly number[]>;
};

/** See the file's comment. */
export class ImapProxy implements AsyncDisposable {
  readonly faults: FaultBoard;
  /** UIDs that Dovecot has marked as seen at the adapter's wish. */
  readonly marked = new Observed<number>();
  /** Every command of the adapter's, without its tag and after its login. */
  readonly commands = new Observed<string>();
  /** What becomes of a command after the login; `null`: Dovecot gets it. For faults of one command alone. */
  onCommand: (command: string) => PlatformFault | null = () => null;
  /** Every line of the adapter's goes through this on its way to Dovecot, with its tag. */
  rewriteCommand: (line: string) => string = (line) => line;
  /** What Dovecot says goes through this; for a server that lies. */
  rewrite: (bytes: Buffer) => Buffer = (bytes) => bytes;
  readonly #server: Server;
  readonly #upstreamPort: number;
  readonly #links = new Set<Link>();
  #total = 0;
  #onClosed: () => void = () => {};

  private constructor(server: Server, upstreamPort: number, faults: FaultBoard) {
    this.#server = server;
    this.#upstreamPort = upstreamPort;
    this.faults = faults;
  }

  static async start(upstreamPort: number, faults: FaultBoard): Promise<ImapProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const proxy = new ImapProxy(server, upstreamPort, faults);
    server.on("connection", (client) => proxy.#onConnection(client));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openSockets(): number {
    return this.#links.size;
  }

  get connections(): { readonly live: number; readonly total: number } {
    const live = [...this.#links].filter(({ isLoggedIn, isFrozen }) => isLoggedIn && !isFrozen).length;
    return { live, total: this.#total };
  }

  onSocketClosed(told: () => void): void {
    this.#onClosed = told;
  }

  dropConnections(): void {
    for (const { client } of this.#links) client.resetAndDestroy();
  }

  freezeConnections(): void {
    for (const link of this.#links) link.isFrozen = true;
  }

  /** Ends every connection as a server does that is going down. */
  sayBye(): void {
    for (const { client } of this.#links) client.end("* BYE Server shutting down.\r\n");
  }

  /** Says `line` on every live connection, as if Dovecot had. */
  say(line: string): void {
    for (const { client, isLoggedIn } of this.#links) if (isLoggedIn) client.write(line);
  }

  /** What hangs is cut. */
  liftFault(place: "connect" | "receive"): void {
    this.faults.lift(place);
    for (const { client, isHeld } of this.#links) if (isHeld) client.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { client, server } of this.#links) {
      client.destroy();
      server?.destroy();
    }
    await closed;
  }

  #onConnection(client: Socket): void {
    this.#total += 1;
    const fault = this.faults.meet("connect");
    const isAtOnce = fault !== null && ["hang", "drop", "server_error"].includes(fault.kind);
    const server = isAtOnce ? null : connect(this.#upstreamPort, "127.0.0.1");
    const link: Link = {
      client,
      server,
      loginFault: isAtOnce ? null : fault,
      isLoggedIn: false,
      isFrozen: false,
      isHeld: fault?.kind === "hang",
      rest: "",
      marking: new Map(),
    };
    this.#links.add(link);
    client.on("error", () => {});
    client.on("close", () => {
      server?.destroy();
      this.#links.delete(link);
      this.#onClosed();
    });
    client.on("data", (bytes: Buffer) => this.#fromClient(link, bytes));
    server?.on("error", () => client.destroy());
    server?.on("close", () => {
      if (!link.isFrozen) client.end();
    });
    server?.on("data", (bytes: Buffer) => this.#fromServer(link, bytes));
    if (fault?.kind === "drop") client.resetAndDestroy();
    if (fault?.kind === "server_error") client.end("* BYE [UNAVAILABLE] Temporary internal error\r\n");
  }

  #fromClient(link: Link, bytes: Buffer): void {
    if (link.isFrozen || link.isHeld || link.server === null) return;
    link.rest += bytes.toString("latin1");
    for (let end = link.rest.indexOf("\n"); end !== -1; end = link.rest.indexOf("\n")) {
      const line = link.rest.slice(0, end + 1);
      link.rest = link.rest.slice(end + 1);
      if (this.#onCommand(link, line.trimEnd())) link.server.write(this.rewriteCommand(line), "latin1");
    }
  }

  /** Whether Dovecot is to get it. */
  #onCommand(link: Link, line: string): boolean {
    const [tag = "", ...words] = line.split(" ");
    const isLogin = /^(?:AUTHENTICATE|LOGIN)$/iu.test(words[0] ?? "");
    if (isLogin && link.loginFault !== null) return this.#refuse(link, tag, link.loginFault);
    if (!link.isLoggedIn) return true;
    this.commands.add(words.join(" "));
    const fault = words.length === 0 ? null : (this.onCommand(words.join(" ")) ?? this.faults.meet("receive"));
    if (fault !== null) return this.#refuse(link, tag, fault);
    const stored = /^UID STORE (\S+) \+FLAGS(?:\.SILENT)? \(\\Seen\)/iu.exec(words.join(" "));
    if (stored !== null) link.marking.set(tag, uidsIn(stored[1] ?? ""));
    return true;
  }

  #refuse(link: Link, tag: string, fault: PlatformFault): false {
    const { client } = link;
    switch (fault.kind) {
      case "hang":
        link.isHeld = true;
        break;
      case "drop":
        client.resetAndDestroy();
        break;
      case "rate_limit":
        client.write(`${tag} NO [LIMIT] Too many logins, try again in ${fault.retryAfterSeconds} seconds\r\n`);
        break;
      case "server_error":
        client.write(`${tag} NO [UNAVAILABLE] Temporary internal error\r\n`);
        break;
      case "bad_credentials":
        client.write(`${tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n`);
        break;
    }
    return false;
  }

  #fromServer(link: Link, bytes: Buffer): void {
    if (link.isFrozen || link.isHeld) return;
    const text = bytes.toString("latin1");
    // Dovecot says so once.
    if (!link.isLoggedIn && /^\S+ OK \[CAPABILITY [^\]]*\] Logged in/mu.test(text)) link.isLoggedIn = true;
    for (const [tag, uids] of link.marking)
      if (text.includes(`${tag} OK`)) {
        link.marking.delete(tag);
        for (const uid of uids) this.marked.add(uid);
      }
    link.client.write(this.rewrite(bytes));
  }
}

/** `1:3,7` */
function uidsIn(set: string): readonly number[] {
  return set.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split(":").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
