/** The Bot API over HTTP on loopback: calls, long polls, file downloads; faults and half-open sockets on command. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { FaultPlace, PlatformFault, ShownItem } from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import { ApiRefusal } from "./api-refusal.ts";
import type { BotWorld } from "./bot-world.ts";
import { FaultBoard } from "../fault-board.ts";
import { listOf, type Method, methodsOf } from "./methods.ts";
import { readFields, type RequestFields } from "./request-fields.ts";

/** A server without a bot has no token. */
export type BotApiServerOptions = {
  readonly world: BotWorld;
  readonly token: string;
  readonly show: (item: ShownItem) => void;
};

type Held = { readonly response: ServerResponse; readonly place: FaultPlace };

/** One server for one bot. */
export class BotApiServer implements AsyncDisposable {
  readonly faults = new FaultBoard();
  /** Calls so far, by method. */
  readonly calls: Observed<string> = new Observed();
  readonly #options: BotApiServerOptions;
  readonly #methods: Readonly<Record<string, Method>>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pollSockets = new Set<Socket>();
  readonly #frozen = new WeakSet<Socket>();
  readonly #held = new Set<Held>();
  readonly #refusals: { readonly method: string; readonly refusal: ApiRefusal; skip: number }[] = [];
  #totalPolls = 0;
  #onClosed: (() => void)[] = [];

  private constructor(options: BotApiServerOptions, server: Server) {
    this.#options = options;
    this.#methods = methodsOf(options);
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#pollSockets.delete(socket);
        for (const told of this.#onClosed) told();
      });
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: BotApiServerOptions): Promise<BotApiServer> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    return new BotApiServer(options, server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves at the next call of `method`. */
  async nextCall(method: string): Promise<void> {
    const before = this.calls.items.filter((other) => other === method).length;
    await this.calls.count(before + 1, `a call of ${method}`, (other) => other === method);
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  get connections(): { readonly live: number; readonly total: number } {
    return { live: this.#pollSockets.size, total: this.#totalPolls };
  }

  /** The next call of `method` is refused so, after `skip` others. */
  refuseNext(method: string, status: number, description: string, skip = 0): void {
    this.#refusals.push({ method, refusal: new ApiRefusal(status, description, retryAfterOf(status)), skip });
  }

  /** Called whenever a socket has closed. */
  onSocketClosed(told: () => void): void {
    this.#onClosed = [...this.#onClosed, told];
  }

  dropConnections(): void {
    this.#options.world.queue.forget();
    for (const socket of this.#pollSockets) socket.resetAndDestroy();
  }

  freezeConnections(): void {
    this.#options.world.queue.forget();
    for (const socket of this.#pollSockets) this.#frozen.add(socket);
  }

  liftFault(place: FaultPlace): void {
    this.faults.lift(place);
    for (const held of this.#held) if (held.place === place) held.response.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.world.queue.wake();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = /^\/file\/bot([^/]+)\/(.+)$/u.exec(pathname);
    if (file !== null) {
      this.#download(response, decodeURIComponent(file[1] ?? ""), decodeURIComponent(file[2] ?? ""));
      return;
    }
    const call = /^\/bot([^/]+)\/(\w+)$/u.exec(pathname);
    const method = call?.[2] ?? "";
    this.calls.add(method);
    const { socket } = request;
    if (method === "getUpdates" && !this.#pollSockets.has(socket)) {
      this.#pollSockets.add(socket);
      this.#totalPolls += 1;
    }
    const fields = await readFields(request);
    if (this.#frozen.has(socket)) return;
    const place = placeOf(method);
    const fault = place === null ? null : this.faults.meet(place);
    if (fault !== null && place !== null) {
      this.#fail(response, place, fault);
      return;
    }
    const isAuthorized = decodeURIComponent(call?.[1] ?? "") === this.#options.token;
    try {
      if (!isAuthorized) throw new ApiRefusal(401, "Unauthorized");
      if (fields === null) throw new ApiRefusal(400, "Bad Request: can't parse the request");
      const result = await this.#call(method, fields, response);
      if (this.#frozen.has(socket)) return;
      answer(response, 200, { ok: true, result });
    } catch (reason) {
      if (!(reason instanceof ApiRefusal)) throw reason;
      if (!this.#frozen.has(socket)) answer(response, reason.status, bodyOf(reason));
    }
  }

  async #call(method: string, fields: RequestFields, response: ServerResponse): Promise<unknown> {
    const { world } = this.#options;
    this.#refuse(method);
    if (method !== "getUpdates") {
      const run = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined;
      if (run === undefined) throw new ApiRefusal(404, "Not Found: method not found");
      return run(fields);
    }
    if (world.webhook !== null)
      throw new ApiRefusal(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    const allowed = listOf(fields.json("allowed_updates"));
    if (allowed !== null) world.queue.allowed = allowed;
    let isGone = false;
    response.once("close", () => {
      isGone = !response.writableFinished;
      if (isGone) world.queue.wake();
    });
    const updates = await world.queue.poll({
      offset: fields.number("offset") ?? 0,
      limit: Math.min(100, Math.max(1, fields.number("limit") ?? 100)),
      timeoutSeconds: fields.number("timeout") ?? 0,
    });
    return isGone ? [] : updates;
  }

  #refuse(method: string): void {
    const next = this.#refusals.find((other) => other.method === method);
    if (next === undefined) return;
    next.skip -= 1;
    if (next.skip >= 0) return;
    this.#refusals.splice(this.#refusals.indexOf(next), 1);
    throw next.refusal;
  }

  #fail(response: ServerResponse, place: FaultPlace, fault: PlatformFault): void {
    switch (fault.kind) {
      case "hang": {
        const held = { response, place };
        this.#held.add(held);
        response.once("close", () => this.#held.delete(held));
        return;
      }
      case "drop":
        response.socket?.resetAndDestroy();
        return;
      case "rate_limit": {
        const seconds = fault.retryAfterSeconds;
        answer(
          response,
          429,
          bodyOf(new ApiRefusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds })),
        );
        return;
      }
      case "server_error":
        // What stands in front of the Bot API answers in HTML.
        response.writeHead(fault.status, { "content-type": "text/html" }).end("<html><h1>Bad Gateway</h1></html>");
        return;
      case "bad_credentials":
        answer(response, 401, bodyOf(new ApiRefusal(401, "Unauthorized")));
    }
  }

  #download(response: ServerResponse, token: string, path: string): void {
    const file = [...this.#options.world.files.values()].find((other) => other.path === path);
    if (token !== this.#options.token || file === undefined) {
      answer(response, 404, bodyOf(new ApiRefusal(404, "Not Found")));
      return;
    }
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": file.bytes.length });
    response.end(file.bytes);
  }
}

function retryAfterOf(status: number): { readonly retry_after: number } | undefined {
  return status === 429 ? { retry_after: 1 } : undefined;
}

/** Which fault a method meets; `null`: none. */
function placeOf(method: string): FaultPlace | null {
  if (method === "getMe") return "connect";
  if (method === "getUpdates") return "receive";
  if (method === "sendChatAction") return null;
  return /^(?:send|edit|setMessageReaction)/u.test(method) ? "send" : null;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const json = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
  response.end(json);
}

function bodyOf({ status, message, parameters }: ApiRefusal): unknown {
  return { ok: false, error_code: status, description: message, ...(parameters === undefined ? {} : { parameters }) };
}
