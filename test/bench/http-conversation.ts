/** One conversation with a webhook adapter as a program holds it: posts, and one long poll that is always open. */
import { sleep } from "../../src/support/time.ts";
import { formatGet, formatPost, HttpConnection } from "./http-connection.ts";

/** Between two tries while the adapter is away. */
const retryMs = 10;
const contentBytes = 500;

/** Keeps polling until it is disposed. */
export class HttpConversation implements Disposable {
  readonly #name: string;
  readonly #port: number;
  readonly #poller: HttpConnection;
  readonly #idle: HttpConnection[] = [];
  readonly #waiting = new Map<string, () => void>();
  #cursor = 0;
  #sent = 0;
  #isOver = false;

  constructor(name: string, port: number) {
    this.#name = name;
    this.#port = port;
    this.#poller = new HttpConnection(port);
    void this.#poll();
  }

  /** Posts a message, again until it was accepted, and resolves when its reply was read. */
  async roundTrip(): Promise<void> {
    const id = `${this.#name}-${this.#sent}`;
    this.#sent += 1;
    const replied = Promise.withResolvers<void>();
    this.#waiting.set(id, replied.resolve);
    const content = `${id} `.padEnd(contentBytes, "x");
    const request = formatPost(
      "/send",
      `{"conversation_id":"${this.#name}","message_id":"${id}","content":"${content}"}`,
    );
    while ((await this.#try(request)) !== 202) await sleep(retryMs);
    await replied.promise;
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const connection of [this.#poller, ...this.#idle]) connection.close();
  }

  async #try(request: string): Promise<number> {
    const connection = this.#idle.pop() ?? new HttpConnection(this.#port);
    try {
      return (await connection.send(request)).status;
    } catch {
      // The adapter is away: the same message is posted again.
      return 0;
    } finally {
      this.#idle.push(connection);
    }
  }

  async #poll(): Promise<void> {
    while (!this.#isOver) {
      try {
        const { status, body } = await this.#poller.send(
          formatGet(`/poll/${this.#name}?wait=30&after=${this.#cursor}`),
        );
        if (status === 200) this.#onAnswer(body);
        else await sleep(retryMs);
      } catch {
        // As in `#try`.
        await sleep(retryMs);
      }
    }
  }

  #onAnswer(body: string): void {
    const { messages, cursor } = JSON.parse(body) as {
      readonly messages: readonly { readonly content: string }[];
      readonly cursor: number;
    };
    this.#cursor = cursor;
    for (const { content } of messages) {
      const [id = ""] = content.split(" ", 1);
      this.#waiting.get(id)?.();
      this.#waiting.delete(id);
    }
  }
}
