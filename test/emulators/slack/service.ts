/** Slack's servers on loopback: the Web API with forms and JSON, files, response addresses, and the upgrade to Socket Mode. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { FaultPlace, PlatformFault } from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import type { FaultBoard } from "../fault-board.ts";
import type { Json } from "./workspace.ts";
import type { WebApi } from "./web-api.ts";
import type { Workspace } from "./workspace.ts";

/** What the service works with. */
export type ServiceOptions = {
  readonly faults: FaultBoard;
  readonly workspace: Workspace;
  readonly api: () => WebApi;
  readonly botToken: string;
  readonly scopes: Set<string>;
  readonly onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** A body that came to `/respond/ID`. */
  readonly onRespond: (id: string, body: Json) => void;
};

/** The methods that begin a connection, and those that read what was said. */
const places: Readonly<Record<string, FaultPlace>> = {
  "auth.test": "connect",
  "apps.connections.open": "connect",
  "conversations.history": "receive",
  "conversations.replies": "receive",
  "users.conversations": "receive",
};
const sends = /^(?:chat|reactions|files\.(?:get|complete)|assistant)/u;

/** The listening service. */
export class Service implements AsyncDisposable {
  /** Every call, by method, in order. */
  readonly calls = new Observed<{ readonly method: string; readonly request: Json; readonly type: string }>();
  /** What sends do whose answer is lost: nothing, or everything but answer. */
  carriesOutLostSends = false;
  /** The post of that number, from now on, gets a 503; 0: none. */
  failSendNumber = 0;
  /** Files are shown to nobody, as to a token without the scope. */
  showsSignIn = false;
  readonly #options: ServiceOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #hanging = new Map<FaultPlace, Set<ServerResponse>>();
  #onEmpty = new Set<() => void>();

  private constructor(options: ServiceOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        if (this.#sockets.size === 0) for (const resolve of this.#onEmpty) resolve();
      });
    });
    this.#server.on("upgrade", (request, socket: Socket, head: Buffer) => options.onUpgrade(request, socket, head));
  }

  static async start(options: ServiceOptions): Promise<Service> {
    const service = new Service(options);
    const listening = Promise.withResolvers<void>();
    service.#server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return service;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
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

  /** Cuts what hangs at `place`. */
  cutHanging(place: FaultPlace): void {
    for (const response of this.#hanging.get(place) ?? []) response.destroy();
    this.#hanging.delete(place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    await closed.promise;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://slack");
    const body = await read(request);
    const [, first = "", second = "", third = ""] = url.pathname.split("/");
    if (first === "api" && request.method === "POST") return this.#call(second, request, body, response);
    if (first === "upload" && request.method === "POST") return this.#upload(third, body, response);
    if (first === "files-pri" && request.method === "GET") return this.#download(second, request, response);
    if (first === "respond" && request.method === "POST") {
      this.#options.onRespond(second, JSON.parse(body.toString()) as Json);
      return void response.end("ok");
    }
    response.writeHead(404).end();
  }

  async #call(method: string, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const type = request.headers["content-type"] ?? "";
    const fields = type.startsWith("application/json")
      ? (JSON.parse(body.toString()) as Json)
      : Object.fromEntries(new URLSearchParams(body.toString()));
    this.calls.add({ method, request: fields, type });
    if (method === "chat.postMessage" && this.failSendNumber > 0) {
      this.failSendNumber -= 1;
      if (this.failSendNumber === 0) return void response.writeHead(503).end();
    }
    const place = places[method] ?? (sends.test(method) ? "send" : null);
    const fault = place === null ? null : this.#options.faults.meet(place);
    const bearer = request.headers.authorization?.replace(/^Bearer /u, "");
    const token = bearer ?? (typeof fields["token"] === "string" ? fields["token"] : "");
    if (fault !== null && place !== null) {
      if (this.carriesOutLostSends && place === "send") this.#options.api().call(method, token, fields);
      return this.#fail(fault, place, response);
    }
    const answer = this.#options.api().call(method, token, fields);
    response.setHeader("x-oauth-scopes", [...this.#options.scopes].join(","));
    this.#json(response, answer);
  }

  #fail(fault: PlatformFault, place: FaultPlace, response: ServerResponse): void {
    switch (fault.kind) {
      case "hang": {
        const hanging = this.#hanging.get(place) ?? new Set();
        this.#hanging.set(place, hanging.add(response));
        return;
      }
      case "drop":
        response.destroy();
        return;
      case "rate_limit":
        response.writeHead(429, { "Retry-After": String(fault.retryAfterSeconds) });
        response.end(JSON.stringify({ ok: false, error: "ratelimited" }));
        return;
      case "server_error":
        response.writeHead(fault.status, { "Content-Type": "text/html" }).end("<html>Bad gateway</html>");
        return;
      case "bad_credentials":
        this.#json(response, { ok: false, error: "invalid_auth" });
        return;
    }
  }

  #upload(id: string, body: Buffer, response: ServerResponse): void {
    response.writeHead(this.#options.api().put(id, body) ? 200 : 400).end("OK");
  }

  /** Without the token Slack shows its sign-in page, as a success. */
  #download(id: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.#options.workspace.files.get(id);
    if (file === undefined) return void response.writeHead(404).end();
    if (this.showsSignIn || request.headers.authorization !== `Bearer ${this.#options.botToken}`)
      return void response.writeHead(200, { "Content-Type": "text/html" }).end("<html>Sign in</html>");
    response.writeHead(200, { "Content-Type": String(file.fields["mimetype"]) }).end(file.bytes);
  }

  #json(response: ServerResponse, answer: Json): void {
    response.setHeader("Content-Type", "application/json; charset=utf-8");
    response.end(JSON.stringify(answer));
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
