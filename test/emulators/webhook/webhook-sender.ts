/** A program that uses a webhook as it should: sends again what was not answered with 202, and polls for its answers. */
import { Agent, request, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { sleep } from "../../../src/support/time.ts";

/** An answer, read whole. */
export type Answer = { readonly status: number; readonly body: string };

/** Between two tries, milliseconds. */
const retryMs = 20;

/** HTTP to one webhook, over connections that it keeps. Disposing ends everything under way. */
export class WebhookSender implements Disposable {
  readonly #port: number;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  readonly #pending = new Set<ClientRequest>();
  #isOver = false;
  #onEmpty: (() => void) | null = null;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** Connected sockets. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** It was disposed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves when none is connected. */
  async allSocketsClosed(): Promise<void> {
    if (this.#sockets.size === 0) return;
    const empty = Promise.withResolvers<void>();
    this.#onEmpty = empty.resolve;
    await empty.promise;
  }

  /** Cuts every connection. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** One try. Rejects when the connection fails. */
  send(
    method: string,
    path: string,
    body: string | Uint8Array | null = null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    const outgoing = request(
      {
        host: "127.0.0.1",
        port: this.#port,
        method,
        path,
        agent: this.#agent,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === null ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", answer.reject);
        response.on("end", () =>
          answer.resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    this.#pending.add(outgoing);
    outgoing.once("close", () => this.#pending.delete(outgoing));
    outgoing.on("socket", (socket) => {
      if (!socket.connecting) this.#onConnected(socket);
      else socket.once("connect", () => this.#onConnected(socket));
    });
    outgoing.on("error", answer.reject);
    outgoing.end(body ?? undefined);
    return answer.promise;
  }

  /** Tries until it is answered with `wanted`; `null`: this sender has ended before. */
  async insist(wanted: number, ...call: Parameters<WebhookSender["send"]>): Promise<Answer | null> {
    while (!this.isOver) {
      const answer = await this.send(...call).catch(() => null);
      if (answer?.status === wanted) return answer;
      await sleep(retryMs);
    }
    return null;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const outgoing of this.#pending) outgoing.destroy();
    this.#agent.destroy();
  }

  #onConnected(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
  }
}
