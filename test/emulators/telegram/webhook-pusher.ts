/** Telegram's side of a webhook: one update of a chat after the other, each until it is answered with 2xx. */
import { request, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { sleep } from "../../../src/support/time.ts";
import type { BotWorld } from "./bot-world.ts";
import type { QueuedUpdate } from "./update-queue.ts";

/** Telegram begins with a second; here nobody waits that long. */
const retryMs = 50;

/** Pushes what is in the world's queue. */
export class WebhookPusher implements Disposable {
  readonly #world: BotWorld;
  readonly #pending = new Set<ClientRequest>();
  readonly #sockets = new Set<Socket>();
  readonly #onClosed: () => void;
  #lines = new Map<string, Promise<void>>();
  #isOver = false;
  /** Answers so far. */
  readonly statuses: number[] = [];

  constructor(world: BotWorld, onClosed: () => void) {
    this.#world = world;
    this.#onClosed = onClosed;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Sends it when what its chat said before has been taken. */
  push(lane: string, update: QueuedUpdate): void {
    const line = (this.#lines.get(lane) ?? Promise.resolve()).then(() => this.#insist(update));
    this.#lines.set(lane, line);
  }

  /** One try with any body; resolves with the status, `0` for none. */
  async post(body: string, secret: string | null = this.#world.webhook?.secret ?? null): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const url = this.#world.webhook?.url;
    if (url === undefined) return 0;
    const outgoing = request(
      url,
      {
        method: "POST",
        agent: false,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...(secret === null ? {} : { "x-telegram-bot-api-secret-token": secret }),
        },
      },
      (response) => {
        response.resume();
        response.once("close", () => resolve(response.statusCode ?? 0));
      },
    );
    this.#pending.add(outgoing);
    outgoing.once("socket", (socket) => {
      socket.once("connect", () => this.#sockets.add(socket));
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#onClosed();
      });
    });
    outgoing.once("error", () => resolve(0));
    outgoing.once("close", () => this.#pending.delete(outgoing));
    outgoing.end(body);
    return promise;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const outgoing of this.#pending) outgoing.destroy();
  }

  async #insist(update: QueuedUpdate): Promise<void> {
    while (!this.#isOver) {
      const status = await this.post(JSON.stringify(update));
      this.statuses.push(status);
      if (status >= 200 && status < 300) {
        this.#world.webhookError = null;
        this.#world.queue.confirm(update.update_id);
        return;
      }
      if (this.#world.webhook !== null)
        this.#world.webhookError = {
          date: Math.floor(Date.now() / 1000),
          message: status === 0 ? "Connection refused" : `Wrong response from the webhook: ${status}`,
        };
      await sleep(retryMs);
    }
  }
}
