/** A plain HTTP server that stays reachable: bounded in time and connections, honest about a port in use, gone when it is stopped. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { GatewayError } from "../contract/errors.ts";
import { createServer } from "./node-http.ts";
import { after } from "./time.ts";

/** What a listener serves and where. Times in milliseconds. */
export type HttpListenerOptions = {
  /** 0: any free one. */
  readonly port: number;
  /** A name or address; IPv6 with or without brackets. */
  readonly bind: string;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Left out: an upgrade is refused by closing the connection. The socket is the listener's to close at the end. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** Failures that do not end the server, such as too many open files. */
  readonly onError: (reason: Error) => void;
  /** Beyond it the longest idle connection is closed for a new one. @default 8_192 */
  readonly maxConnections?: number;
  /** How long a client may take over its headers. @default 10_000 */
  readonly headersTimeoutMs?: number;
  /** How long a client may take over a whole request. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /** How often both are looked at. @default 2_000 */
  readonly checkIntervalMs?: number;
};

/** How long a connection is kept for the next request. */
const keepAliveTimeoutMs = 65_000;
/** A connection on which nothing moved for this long is dead; longer than the longest held poll. */
const socketTimeoutMs = 120_000;
const backlog = 2_048;

/** A listening server and all of its connections. */
export class HttpListener implements AsyncDisposable {
  /** Where it listens; `port` is the real one. */
  readonly host: string;
  readonly port: number;
  /** Resolves when the listener was stopped; rejects when it stopped listening by itself. */
  readonly closed: Promise<void>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Without a request in progress, the longest idle first. */
  readonly #idle = new Set<Socket>();
  /** Requests in progress: a count, since a set of responses that come and go keeps dead ones alive until a full collection. */
  #busy = 0;
  readonly #maxConnections: number;
  #stopped: Promise<void> | null = null;
  #onQuiet: (() => void) | null = null;
  #onEmpty: (() => void) | null = null;

  private constructor(server: Server, options: HttpListenerOptions) {
    this.#server = server;
    this.#maxConnections = options.maxConnections ?? 8_192;
    this.host = plainHost(options.bind);
    const address = server.address() as AddressInfo;
    this.port = address.port;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    // Whoever does not watch it must not be ended by it.
    this.closed.catch(() => {});
    server.on("connection", (socket) => this.#onConnection(socket));
    server.on("request", (request, response) => this.#onRequest(request, response, options.onRequest));
    server.on("checkContinue", (request, response) => this.#onRequest(request, response, options.onRequest));
    server.on("upgrade", (request, socket: Socket, head) => {
      this.#idle.delete(socket);
      if (options.onUpgrade === undefined || this.#stopped !== null) socket.destroy();
      else options.onUpgrade(request, socket, head);
    });
    server.on("error", options.onError);
    server.on("close", () => {
      if (this.#stopped !== null) closed.resolve();
      else
        closed.reject(
          new GatewayError("platform_unavailable", `Cannot go on listening on ${addressText(this)}: the server closed`),
        );
    });
  }

  /**
   * Listens, or says why it cannot.
   * @throws {GatewayError} `conflict` for a port in use, `forbidden` without the right to it, `config_invalid` for an address this machine lacks.
   */
  static async start(options: HttpListenerOptions): Promise<HttpListener> {
    const server = createServer({
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 30_000,
      connectionsCheckingInterval: options.checkIntervalMs ?? 2_000,
      keepAliveTimeout: keepAliveTimeoutMs,
      noDelay: true,
    });
    server.timeout = socketTimeoutMs;
    const host = plainHost(options.bind);
    const listening = Promise.withResolvers<void>();
    server.once("error", listening.reject);
    server.listen({ port: options.port, host, backlog }, listening.resolve);
    try {
      await listening.promise;
    } catch (reason) {
      throw listenError(addressText({ host, port: options.port }), reason);
    }
    server.off("error", listening.reject);
    return new HttpListener(server, options);
  }

  /** The port is being given up: answers say `Connection: close`. */
  get isStopping(): boolean {
    return this.#stopped !== null;
  }

  /**
   * Closes the port at once, lets requests in progress finish for `drainMs`, then closes every connection.
   * Resolves when the port is free.
   */
  stop(drainMs: number): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
  }

  async #stop(drainMs: number): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    for (const socket of this.#idle) socket.destroy();
    if (drainMs > 0 && this.#busy > 0) {
      const quiet = Promise.withResolvers<void>();
      this.#onQuiet = quiet.resolve;
      using _deadline = after(drainMs, quiet.resolve);
      await quiet.promise;
    }
    const empty = Promise.withResolvers<void>();
    this.#onEmpty = empty.resolve;
    for (const socket of this.#sockets) socket.destroy();
    if (this.#sockets.size > 0) await empty.promise;
    await closed.promise;
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    this.#idle.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#idle.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
    if (this.#sockets.size <= this.#maxConnections) return;
    // The new one stands last in the line: it goes only when all others are at work.
    const [longestIdle] = this.#idle;
    longestIdle?.destroy();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, handle: HttpListenerOptions["onRequest"]): void {
    const { socket } = request;
    this.#idle.delete(socket);
    this.#busy += 1;
    if (this.#stopped !== null) response.shouldKeepAlive = false;
    response.once("close", () => {
      this.#busy -= 1;
      if (this.#stopped !== null) {
        if (this.#busy === 0) this.#onQuiet?.();
      } else if (!socket.destroyed) this.#idle.add(socket);
    });
    handle(request, response);
  }
}

/** `host:port` as it is written in an address, IPv6 in brackets. */
export function addressText(address: { readonly host: string; readonly port: number }): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function plainHost(bind: string): string {
  return bind.startsWith("[") && bind.endsWith("]") ? bind.slice(1, -1) : bind;
}

function listenError(address: string, cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  switch (code) {
    case "EADDRINUSE":
      return new GatewayError("conflict", `Cannot listen on ${address}: the port is in use`, {
        // Whoever holds it may let go.
        retry: { kind: "backoff" },
        userAction: `Stop what listens on ${address}, or choose another port`,
        cause,
      });
    case "EACCES":
      return new GatewayError("forbidden", `Cannot listen on ${address}: permission denied`, {
        userAction: "Choose a port above 1023, or allow this process to use it",
        cause,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new GatewayError("config_invalid", `Cannot listen on ${address}: this machine has no such address`, {
        userAction: "Set bind to an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::",
        cause,
      });
    default:
      return new GatewayError("internal", `Cannot listen on ${address}: ${String(code ?? cause)}`, { cause });
  }
}
