/** The page over HTTP and the sockets behind it: who may connect, how many, and who hears what. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import type { WebchatSettings } from "../../src/contract/settings.ts";
import { answerFailure, answerJson } from "../../src/support/http-answer.ts";
import { isLoopback } from "../../src/support/loopback.ts";
import { secretMatcher } from "../../src/support/secret-matcher.ts";
import { every, withDeadline } from "../../src/support/time.ts";
import { TokenBuckets } from "../../src/support/token-buckets.ts";
import { ChatSocket, type ChatSocketServices } from "./chat-socket.ts";
import { isAllowedOrigin } from "./origin.ts";
import type { PageAssets } from "./page-assets.ts";
import { frameLimitBytes, type ServerFrame } from "./protocol.ts";

/** How many sockets there may be. `perAddress` does not count for loopback, where a reverse proxy stands for everyone. */
export type ChatLimits = { readonly sockets: number; readonly perAddress: number };

const defaultLimits: ChatLimits = { sockets: 2_000, perAddress: 100 };
const heartbeatMs = 20_000;
const burst = 20;
const acceptDeadlineMs = 30_000;
/** What messages in progress get when the adapter stops. */
const stopDrainMs = 2_000;

/** Serves one web chat adapter. */
export class ChatServer {
  readonly #context: AdapterContext<WebchatSettings>;
  readonly #assets: PageAssets;
  readonly #limits: ChatLimits;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: frameLimitBytes,
    clientTracking: false,
    perMessageDeflate: false,
  });
  readonly #sockets = new Set<ChatSocket>();
  readonly #byConversation = new Map<string, Set<ChatSocket>>();
  readonly #byAddress = new Map<string, number>();
  readonly #accepting = new Set<Promise<unknown>>();
  readonly #services: ChatSocketServices;
  readonly #heartbeat: Disposable;
  readonly #needsUnforgeableHost: boolean;
  #isStopping = false;

  constructor(context: AdapterContext<WebchatSettings>, assets: PageAssets, limits: ChatLimits = defaultLimits) {
    const { settings, log, mailbox } = context;
    this.#context = context;
    this.#assets = assets;
    this.#limits = limits;
    this.#needsUnforgeableHost = settings.authToken === "" && isLoopback(settings.bind);
    const isToken = settings.authToken === "" ? () => true : secretMatcher(settings.authToken);
    const senders = new TokenBuckets({ ratePerSecond: settings.rateLimitPerSender, burst });
    this.#services = {
      mailbox,
      log,
      isToken,
      join: (conversation, socket) => this.#join(conversation, socket),
      leave: (socket) => this.#leave(socket),
      rateLimit: (conversation) => senders.take(conversation, performance.now()),
      accept: (message) => this.#accept(message),
    };
    this.#heartbeat = every(
      heartbeatMs,
      () => this.beat(),
      (reason) => log.error("webchat-heartbeat-failed", { message: String(reason) }),
    );
  }

  /** Serves one HTTP request. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#context.frame();
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    if (path === "/health") answerJson(response, 200, '{"status":"ok"}');
    else if (path === "/ws")
      answerFailure(response, { status: 400, code: "invalid_request", message: "Cannot use /ws without an upgrade" });
    else this.#assets.answer(path, request, response);
  }

  /** Takes a socket in, or refuses it with an HTTP status. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#context.frame();
    const address = socket.remoteAddress ?? "";
    const refusal = this.#refusalOf(request, address);
    if (refusal !== null) {
      socket.on("error", () => socket.destroy());
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n`);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#sockets.add(new ChatSocket(webSocket, address, this.#services));
      this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    });
  }

  /** Sends to every open page of a conversation. */
  broadcast(conversation: string, frame: ServerFrame): void {
    for (const socket of this.#byConversation.get(conversation) ?? []) {
      if (frame.type === "chunk") socket.sendChunk(frame.text);
      else socket.send(frame);
    }
  }

  /** One round of the heartbeat: who did not answer the last one is cut off. */
  beat(): void {
    for (const socket of this.#sockets) socket.beat();
    if (this.#sockets.size > 0) this.#context.frame();
  }

  /** Takes nothing more in, lets messages in progress be answered, then sends every page away to come back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#heartbeat[Symbol.dispose]();
    await withDeadline(Promise.allSettled(this.#accepting), stopDrainMs, "Accepting the last messages").catch(() => {
      // Their pages send them again.
    });
    for (const socket of this.#sockets) socket.close();
    this.#webSockets.close();
  }

  #refusalOf(request: IncomingMessage, address: string): string | null {
    const [path] = (request.url ?? "/").split("?", 1);
    if (path !== "/ws") return "404 Not Found";
    const { origin, host } = request.headers;
    const { allowedOrigins } = this.#context.settings;
    if (!isAllowedOrigin({ origin, host, allowedOrigins, needsUnforgeableHost: this.#needsUnforgeableHost })) {
      this.#context.log.warn("webchat-origin-refused", { origin: origin ?? null, host: host ?? null });
      return "403 Forbidden";
    }
    if (this.#isStopping || this.#sockets.size >= this.#limits.sockets) return "503 Service Unavailable";
    const ofAddress = this.#byAddress.get(address) ?? 0;
    return ofAddress >= this.#limits.perAddress && !isLoopback(address) ? "429 Too Many Requests" : null;
  }

  async #accept(message: EmittedMessage): Promise<string> {
    if (this.#isStopping)
      throw new GatewayError("adapter_unavailable", "Cannot accept the message: the chat is restarting");
    const emitted = this.#context.emit(message);
    this.#accepting.add(emitted);
    try {
      const [id] = await withDeadline(emitted, acceptDeadlineMs, "Accepting the message");
      return id ?? message.id;
    } finally {
      this.#accepting.delete(emitted);
    }
  }

  #join(conversation: string, socket: ChatSocket): void {
    const open = this.#byConversation.get(conversation) ?? new Set();
    open.add(socket);
    this.#byConversation.set(conversation, open);
  }

  #leave(socket: ChatSocket): void {
    this.#sockets.delete(socket);
    const left = (this.#byAddress.get(socket.remoteAddress) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(socket.remoteAddress, left);
    else this.#byAddress.delete(socket.remoteAddress);
    if (socket.conversation === null) return;
    const open = this.#byConversation.get(socket.conversation);
    open?.delete(socket);
    if (open?.size === 0) this.#byConversation.delete(socket.conversation);
  }
}
