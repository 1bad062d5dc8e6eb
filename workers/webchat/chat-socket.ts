/** One page's socket: hello, its messages in, its mail out in order, and an end however the connection ends. */
import type { WebSocket } from "ws";
import type { AdapterLog, Mailbox } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { after, sleep } from "../../src/support/time.ts";
import { TokenBuckets } from "../../src/support/token-buckets.ts";
import { messageLimitBytes, parseClientFrame, toPageResponse, type ClientFrame, type ServerFrame } from "./protocol.ts";

/** What a socket needs of its server. */
export type ChatSocketServices = {
  readonly mailbox: Mailbox;
  readonly log: AdapterLog;
  isToken(token: string): boolean;
  /** Adds it to its conversation. */
  join(conversation: string, socket: ChatSocket): void;
  /** It is closed; called once. */
  leave(socket: ChatSocket): void;
  /** 0, or how long this sender must wait, in milliseconds. */
  rateLimit(conversation: string): number;
  /** Resolves with the message's id once it is on disk. */
  accept(message: EmittedMessage): Promise<string>;
};

const helloTimeoutMs = 10_000;
const mailWaitMs = 60_000;
/** Frames of any kind: far more than any page sends. */
const frameRate = { ratePerSecond: 50, burst: 200 } as const;
/** Unanswered messages of one socket. */
const maxPending = 64;
/** A page that is this far behind gets no more of a stream's intermediate texts. */
const chunkBacklogBytes = 65_536;
const retryMailMs = { least: 500, most: 15_000 } as const;
/** WebSocket close codes; 4000 and up are our own, the page knows them. */
const closeCodes = { goingAway: 1001, unsupported: 1003, policy: 1008, denied: 4401 } as const;

/** Lives as long as its WebSocket. */
export class ChatSocket {
  /** `null` until the hello. */
  conversation: string | null = null;
  readonly remoteAddress: string;
  readonly #socket: WebSocket;
  readonly #services: ChatSocketServices;
  readonly #closing = new AbortController();
  readonly #frames = new TokenBuckets(frameRate);
  readonly #helloDeadline: Disposable;
  #sentCursor = 0;
  #pending = 0;
  #isAlive = true;

  constructor(socket: WebSocket, remoteAddress: string, services: ChatSocketServices) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.#services = services;
    this.#helloDeadline = after(helloTimeoutMs, () => this.#socket.close(closeCodes.policy, "no hello"));
    socket.on("message", (data, isBinary) => this.#onFrame(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // What is wrong with it ends in `close`, which follows.
    socket.on("error", (reason) => services.log.debug("webchat-socket-error", { message: reason.message }));
    socket.once("close", () => {
      this.#helloDeadline[Symbol.dispose]();
      this.#closing.abort();
      services.leave(this);
    });
  }

  /** Sends a frame unless the socket is closed. */
  send(frame: ServerFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** A stream's text so far; left out for a page that cannot keep up. */
  sendChunk(text: string): void {
    if (this.#socket.bufferedAmount < chunkBacklogBytes) this.send({ type: "chunk", text });
  }

  /** Cuts a socket that showed no life since the last beat, and asks the rest for a sign of it. */
  beat(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  /** The adapter stops; the page comes back by itself. */
  close(): void {
    this.#socket.close(closeCodes.goingAway, "restarting");
  }

  #onFrame(data: unknown, isBinary: boolean): void {
    this.#isAlive = true;
    if (isBinary || !(data instanceof Buffer)) {
      this.#socket.close(closeCodes.unsupported, "text frames only");
      return;
    }
    const frame = parseClientFrame(data.toString("utf8"));
    const isKnown = frame !== null && (frame.type === "hello") === (this.conversation === null);
    if (!isKnown || this.#frames.take("", performance.now()) > 0) {
      this.#socket.close(closeCodes.policy, isKnown ? "too many frames" : "unexpected frame");
      return;
    }
    this.#handle(frame);
  }

  #handle(frame: ClientFrame): void {
    switch (frame.type) {
      case "hello":
        this.#onHello(frame);
        return;
      case "message":
        void this.#onMessage(frame);
        return;
      case "ack":
        // A page cannot confirm what it was not sent.
        if (this.conversation !== null && frame.cursor <= this.#sentCursor)
          this.#services.mailbox.ack({ conversation: this.conversation, upTo: frame.cursor });
        return;
      case "ping":
        this.send({ type: "pong" });
    }
  }

  #onHello(hello: Extract<ClientFrame, { type: "hello" }>): void {
    this.#helloDeadline[Symbol.dispose]();
    if (!this.#services.isToken(hello.token)) {
      const message = hello.token === "" ? "This chat needs an access token" : "This access token is not right";
      this.send({ type: "denied", error: { code: "unauthorized", message } });
      this.#socket.close(closeCodes.denied, "unauthorized");
      return;
    }
    const { conversation } = hello;
    this.conversation = conversation;
    this.#sentCursor = hello.after;
    if (hello.after > 0) this.#services.mailbox.ack({ conversation, upTo: hello.after });
    this.#services.join(conversation, this);
    this.send({ type: "ready" });
    void this.#deliverMail(conversation);
  }

  async #onMessage({ clientId, text }: Extract<ClientFrame, { type: "message" }>): Promise<void> {
    const conversation = this.conversation ?? "";
    this.#pending += 1;
    try {
      this.#check(conversation, text);
      const id = await this.#services.accept({ id: clientId, conversation, sender: { id: conversation }, text });
      this.send({ type: "accepted", clientId, id });
    } catch (reason) {
      const { code, message, retry } = GatewayError.from(reason);
      if (code === "internal") this.#services.log.error("webchat-message-failed", { message });
      const retryAfterMs = retry.kind === "never" ? null : retry.kind === "after" ? retry.delayMs : 2_000;
      const shown = code === "internal" ? "Cannot accept the message: internal error" : message;
      this.send({ type: "rejected", clientId, error: { code, message: shown }, retryAfterMs });
    } finally {
      this.#pending -= 1;
    }
  }

  #check(conversation: string, text: string): void {
    if (text.trim() === "") throw new GatewayError("invalid_request", "Cannot send the message: it is empty");
    if (!text.isWellFormed()) throw new GatewayError("invalid_request", "Cannot send the message: it is not text");
    const bytes = Buffer.byteLength(text);
    if (bytes > messageLimitBytes)
      throw new GatewayError(
        "too_large",
        `Cannot send the message: it has ${bytes} bytes, at most ${messageLimitBytes} are allowed`,
      );
    const delayMs = this.#pending > maxPending ? 1_000 : this.#services.rateLimit(conversation);
    if (delayMs > 0)
      throw new GatewayError("rate_limited", "Cannot send the message: too many at once", {
        retry: { kind: "after", delayMs },
      });
  }

  async #deliverMail(conversation: string): Promise<void> {
    const { signal } = this.#closing;
    let retryMs: number = retryMailMs.least;
    while (!signal.aborted) {
      try {
        const request = { conversation, after: this.#sentCursor, waitMs: mailWaitMs, remove: false, signal };
        for (const { cursor, response } of await this.#services.mailbox.read(request)) {
          await this.#sendFlushed({ type: "entry", cursor, response: toPageResponse(response) });
          this.#sentCursor = cursor;
        }
        retryMs = retryMailMs.least;
      } catch (reason) {
        if (signal.aborted || this.#socket.readyState !== this.#socket.OPEN) return;
        this.#services.log.warn("webchat-mail-failed", { message: GatewayError.from(reason).message });
        await sleep(retryMs, signal).catch(() => {
          // The socket closed meanwhile: the loop sees it.
        });
        retryMs = Math.min(retryMs * 2, retryMailMs.most);
      }
    }
  }

  /** Resolves when the bytes are with the operating system: a slow page slows its own mail only. */
  #sendFlushed(frame: ServerFrame): Promise<void> {
    const flushed = Promise.withResolvers<void>();
    this.#socket.send(JSON.stringify(frame), (reason) => {
      if (reason instanceof Error) flushed.reject(reason);
      else flushed.resolve();
    });
    return flushed.promise;
  }
}
