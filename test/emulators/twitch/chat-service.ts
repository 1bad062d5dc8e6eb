/** Twitch's servers on loopback, chat and id server behind one port: faults, silence and half-open sockets on command. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { WebSocketServer } from "ws";
import type { PlatformFault } from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import { patience } from "../../conformance/within.ts";
import { FaultBoard } from "../fault-board.ts";
import { ChatSession, type Said, type SessionHost } from "./chat-session.ts";
import type { ChatWorld } from "./chat-world.ts";
import type { IdAnswer, TokenLedger } from "./token-ledger.ts";

/** A gateway may have to bring its host up again first, milliseconds. */
const processDeadlineMs = 40_000;

/** One Twitch. */
export class ChatService implements AsyncDisposable {
  readonly faults = new FaultBoard();
  readonly world: ChatWorld;
  readonly ledger: TokenLedger;
  /** What the bot said and Twitch took. */
  readonly said = new Observed<Said>();
  /** Every connection that was ever upgraded. */
  readonly sessions = new Observed<ChatSession>();
  /** One entry for each JOIN that was answered. */
  readonly joins = new Observed<null>();
  pongForm: ReturnType<SessionHost["pongForm"]> = "prefixed";
  /** How an upgrade, and a login, are met. */
  behaviour: "normal" | "no_upgrade" | "no_welcome" = "normal";
  knowsCapabilities = true;
  /** Refreshes are taken and never answered. */
  holdsRefreshes = false;
  /** One entry for each that was. */
  readonly heldRefreshes = new Observed<null>();
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #sockets = new Set<Socket>();
  readonly #live = new Set<ChatSession>();
  readonly #hanging = new Set<Socket>();
  #onEmpty = new Set<() => void>();

  private constructor(server: Server, parts: { readonly world: ChatWorld; readonly ledger: TokenLedger }) {
    this.world = parts.world;
    this.ledger = parts.ledger;
    this.#server = server;
    server.on("connection", (socket: Socket) => this.#onConnection(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#onRequest(request, response).catch(() => response.destroy());
    });
    server.on("upgrade", (request, socket: Socket, head: Buffer) => this.#onUpgrade(request, socket, head));
  }

  static async start(parts: { readonly world: ChatWorld; readonly ledger: TokenLedger }): Promise<ChatService> {
    const server = createServer();
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return new ChatService(server, parts);
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that are logged in. */
  get live(): readonly ChatSession[] {
    return [...this.#live].filter(({ isLoggedIn }) => isLoggedIn);
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async empty(): Promise<void> {
    if (this.#sockets.size === 0) return;
    const empty = Promise.withResolvers<void>();
    this.#onEmpty.add(empty.resolve);
    await empty.promise;
    this.#onEmpty.delete(empty.resolve);
  }

  /** Connections that hear what is said in `channel`. */
  listeners(channel: string): readonly ChatSession[] {
    return this.live.filter(({ joined, isFrozen }) => joined.has(channel) && !isFrozen);
  }

  /** Resolves once somebody hears what is said in `channel`. */
  async heardBy(channel: string): Promise<void> {
    await patience.run(patience.getStore() ?? processDeadlineMs, async () => {
      while (this.listeners(channel).length === 0)
        await this.joins.count(this.joins.items.length + 1, `somebody in #${channel}`);
    });
  }

  /** Cuts every connection. */
  drop(): void {
    for (const session of this.#live) session.cut();
  }

  freeze(): void {
    for (const session of this.#live) session.freeze();
  }

  /** What hangs is cut. */
  cutHanging(): void {
    for (const socket of this.#hanging) socket.destroy();
    this.#hanging.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#webSockets.close();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    await closed.promise;
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#hanging.delete(socket);
      if (this.#sockets.size === 0) for (const resolve of this.#onEmpty) resolve();
    });
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const fault = this.faults.meet("connect");
    const isRefresh = request.method === "POST" && request.url === "/oauth2/token";
    const isValidation = request.method === "GET" && request.url === "/oauth2/validate";
    if (fault !== null) return this.#failRequest(response, fault, isRefresh);
    if (isRefresh && this.holdsRefreshes) return this.heldRefreshes.add(null);
    if (isRefresh) return answer(response, this.ledger.refresh(new URLSearchParams(body)));
    if (isValidation) return answer(response, this.ledger.validate(request.headers.authorization ?? ""));
    answer(response, { status: 404, body: { status: 404, message: "Not Found" } });
  }

  #failRequest(response: ServerResponse, fault: PlatformFault, isRefresh: boolean): void {
    switch (fault.kind) {
      case "hang":
        if (response.socket !== null) this.#hanging.add(response.socket);
        return;
      case "drop":
        response.socket?.resetAndDestroy();
        return;
      case "rate_limit":
        response.setHeader("Retry-After", String(fault.retryAfterSeconds));
        return answer(response, { status: 429, body: { status: 429, message: "Too Many Requests" } });
      case "server_error":
        response.writeHead(fault.status, { "Content-Type": "text/html" }).end("<html>Bad gateway</html>");
        return;
      case "bad_credentials": {
        const status = isRefresh ? 400 : 401;
        return answer(response, {
          status,
          body: { status, message: isRefresh ? "Invalid refresh token" : "invalid access token" },
        });
      }
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const fault = this.faults.meet("connect");
    if (fault?.kind === "hang" || this.behaviour === "no_upgrade") {
      this.#hanging.add(socket);
      return;
    }
    if (fault?.kind === "drop") return void socket.resetAndDestroy();
    if (fault?.kind === "rate_limit") return refuseUpgrade(socket, 429, `Retry-After: ${fault.retryAfterSeconds}\r\n`);
    if (fault?.kind === "server_error") return refuseUpgrade(socket, fault.status, "");
    if (request.headers["sec-websocket-protocol"] !== "irc") return refuseUpgrade(socket, 400, "");
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const session = new ChatSession(webSocket, socket, this.#sessionHost());
      session.isRefused = fault?.kind === "bad_credentials";
      this.#live.add(session);
      webSocket.on("close", () => this.#live.delete(session));
      this.sessions.add(session);
    });
  }

  #sessionHost(): SessionHost {
    return {
      world: this.world,
      accountOf: (token) => this.ledger.accountOf(token),
      meetsSendFault: (session) => this.#meetsSendFault(session),
      onSaid: (said) => this.said.add(said),
      onJoined: () => this.joins.add(null),
      pongForm: () => this.pongForm,
      knowsCapabilities: () => this.knowsCapabilities,
      sendsWelcome: () => this.behaviour !== "no_welcome",
    };
  }

  #meetsSendFault(session: ChatSession): boolean {
    const fault = this.faults.meet("send");
    switch (fault?.kind) {
      case undefined:
        return false;
      case "hang":
        break;
      case "drop":
        session.cut();
        break;
      case "rate_limit":
        session.refuseForSeconds(fault.retryAfterSeconds);
        break;
      case "server_error":
        session.socket.close(1011);
        break;
      case "bad_credentials":
        session.refuseLogin("Login authentication failed");
        break;
    }
    return true;
  }
}

function answer(response: ServerResponse, { status, body }: IdAnswer): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function refuseUpgrade(socket: Socket, status: number, header: string): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\n${header}Content-Length: 0\r\nConnection: close\r\n\r\n`);
}
