/** Discord's HTTP servers: the REST API and the file server. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { PlatformFault } from "../../conformance/emulated-platform.ts";
import type { FaultBoard } from "../fault-board.ts";
import type { GatewaySessions } from "./gateway-sessions.ts";
import { Refusal } from "./refusal.ts";
import { readRequestBody } from "./request-body.ts";
import type { RestRoutes } from "./rest-routes.ts";
import type { World } from "./world.ts";

/** What the server answers from. */
export type RestServerParts = {
  readonly token: string;
  readonly world: World;
  readonly routes: RestRoutes;
  readonly sessions: GatewaySessions;
  readonly faults: FaultBoard;
};

const apiPrefix = "/api/v10/";

/** Answers one request after the other. */
export class RestServer {
  readonly #parts: RestServerParts;
  /** Requests that a fault lets hang. */
  readonly #hanging = new Set<ServerResponse>();
  /** Requests so far, as `POST /channels/1/messages`. */
  readonly requests: string[] = [];

  constructor(parts: RestServerParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? "/", "http://emulator");
      if (url.pathname.startsWith("/attachments/")) this.#serveFile(url, response);
      else await this.#serveApi(request, response, url);
    } catch (reason) {
      const refusal = reason instanceof Refusal ? reason : new Refusal(500, 0, String(reason));
      answer(response, refusal.status, refusal.body);
    }
  }

  /** Cuts what hangs. */
  cutHanging(): void {
    for (const response of this.#hanging) response.destroy();
    this.#hanging.clear();
  }

  async #serveApi(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (!url.pathname.startsWith(apiPrefix)) throw new Refusal(404, 0, "404: Not Found");
    const segments = url.pathname.slice(apiPrefix.length).split("/").map(decodeURIComponent);
    const method = request.method ?? "GET";
    this.requests.push(`${method} /${segments.join("/")}`);
    const body = await readRequestBody(request);
    const place = placeOf(method, segments);
    const fault = place === null ? null : this.#parts.faults.meet(place);
    if (fault !== null) return this.#obey(fault, response);
    const isByToken = segments[0] === "interactions" || segments[0] === "webhooks";
    if (!isByToken && request.headers.authorization !== `Bot ${this.#parts.token}`)
      throw new Refusal(401, 0, "401: Unauthorized");
    if (!/^DiscordBot \(.+\)/u.test(request.headers["user-agent"] ?? ""))
      throw new Refusal(403, 40_333, "internal network error");
    const isGateway = method === "GET" && segments.join("/") === "gateway/bot";
    const result = isGateway
      ? this.#parts.sessions.information()
      : this.#parts.routes.answer({ method, segments, query: url.searchParams, ...body });
    answer(response, result === null ? 204 : 200, result);
  }

  #serveFile(url: URL, response: ServerResponse): void {
    const file = this.#parts.world.files.get(url.pathname);
    if (file === undefined) return answer(response, 404, { message: "This content is no longer available." });
    response.writeHead(200, { "content-type": file.contentType, "content-length": file.bytes.length });
    response.end(file.bytes);
  }

  #obey(fault: PlatformFault, response: ServerResponse): void {
    switch (fault.kind) {
      case "hang":
        this.#hanging.add(response);
        return;
      case "drop":
        response.destroy();
        return;
      case "bad_credentials":
        return answer(response, 401, { message: "401: Unauthorized", code: 0 });
      case "server_error":
        response.writeHead(fault.status, { "content-type": "text/html" });
        response.end("<html>upstream connect error</html>");
        return;
      case "rate_limit": {
        const seconds = fault.retryAfterSeconds;
        response.writeHead(429, {
          "content-type": "application/json",
          "retry-after": String(seconds),
          "x-ratelimit-limit": "5",
          "x-ratelimit-remaining": "0",
          "x-ratelimit-reset-after": String(seconds),
          "x-ratelimit-bucket": "emulated",
          "x-ratelimit-scope": "user",
        });
        response.end(JSON.stringify({ message: "You are being rate limited.", retry_after: seconds, global: false }));
      }
    }
  }
}

/** Which fault a call can meet. */
function placeOf(method: string, segments: readonly string[]): "connect" | "send" | null {
  const path = segments.join("/");
  if (method === "GET") return path === "users/@me" || path === "gateway/bot" ? "connect" : null;
  const isMessage = segments[0] === "channels" && segments[2] === "messages" && segments.length <= 4;
  return isMessage || segments[0] === "webhooks" ? "send" : null;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  if (status === 204) response.writeHead(204).end();
  else response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
