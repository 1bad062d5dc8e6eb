/** One page of the web chat: comes back after every loss, sends again what was not accepted, and keeps what it was sent. */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { sleep } from "../../../src/support/time.ts";

/** One frame of the server. */
export type ServerFrame = Readonly<Record<string, unknown>> & { readonly type: string };

/** What a page does with what it hears. */
export type PageEvents = {
  onConnected(socket: Socket): void;
  onAccepted(clientId: string): void;
  onEntry(cursor: number, response: Readonly<Record<string, unknown>>): void;
  onChunk(text: string): void;
};

/** Between two tries, milliseconds. */
const retryMs = 20;

/** Lives until it is disposed. */
export class PageClient implements AsyncDisposable {
  readonly #url: string;
  readonly #hello: { readonly conversation: string; readonly token: string };
  readonly #events: PageEvents;
  /** In order; each goes when the last one was accepted. */
  readonly #unaccepted: { readonly clientId: string; readonly text: string }[] = [];
  readonly #loop: Promise<void>;
  #socket: WebSocket | null = null;
  #ready = Promise.withResolvers<WebSocket>();
  #isReady = false;
  #isOver = false;
  #cursor = 0;

  constructor(url: string, hello: { readonly conversation: string; readonly token: string }, events: PageEvents) {
    this.#url = url;
    this.#hello = hello;
    this.#events = events;
    this.#loop = this.#stayConnected();
  }

  /** Sends it, as often as it takes. */
  say(clientId: string, text: string): void {
    this.#unaccepted.push({ clientId, text });
    if (this.#unaccepted.length === 1) this.#sendNext();
  }

  /** Sends what no page sends, for which the server closes the connection. Resolves when it has. */
  async sayNonsense(data: string | Uint8Array): Promise<void> {
    const socket = await this.#ready.promise;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.send(data);
    await closed;
  }

  drop(): void {
    this.#socket?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#socket?.terminate();
    await this.#loop;
  }

  async #stayConnected(): Promise<void> {
    while (!this.#isOver) {
      await this.#connection();
      if (!this.#isOver) await sleep(retryMs);
    }
  }

  /** One connection, to its end. */
  async #connection(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.on("upgrade", (response) => this.#events.onConnected(response.socket));
    socket.on("open", () => {
      const { conversation, token } = this.#hello;
      socket.send(JSON.stringify({ type: "hello", conversation, after: this.#cursor, token }));
    });
    socket.on("message", (data: Buffer) => this.#onFrame(JSON.parse(data.toString("utf8")) as ServerFrame));
    // `close` follows.
    socket.on("error", () => {});
    socket.once("close", () => closed.resolve());
    await closed.promise;
    if (this.#isReady) this.#ready = Promise.withResolvers();
    this.#isReady = false;
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === "ready") {
      this.#isReady = true;
      if (this.#socket !== null) this.#ready.resolve(this.#socket);
      this.#sendNext();
    }
    if (frame.type === "accepted" && frame["clientId"] === this.#unaccepted[0]?.clientId) {
      this.#unaccepted.shift();
      this.#events.onAccepted(String(frame["clientId"]));
      this.#sendNext();
    }
    if (frame.type === "rejected") void sleep(retryMs).then(() => this.#sendNext());
    if (frame.type === "chunk") this.#events.onChunk(String(frame["text"]));
    if (frame.type === "entry") {
      this.#cursor = Number(frame["cursor"]);
      this.#events.onEntry(this.#cursor, frame["response"] as Readonly<Record<string, unknown>>);
      this.#socket?.send(JSON.stringify({ type: "ack", cursor: this.#cursor }));
    }
  }

  #sendNext(): void {
    const next = this.#unaccepted[0];
    if (next === undefined || !this.#isReady || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type: "message", ...next }));
  }
}
