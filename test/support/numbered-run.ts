/** Numbered messages through a webhook that may die at any moment, a handler that writes down each one, and the replies. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";

/** The message at whose first sight the handler takes its whole process down, after noting it. */
export const deadlyText = "deadly";

/** The consumer module: notes what it is given, one line each, and answers it. */
export const notingHandler = `import { appendFileSync } from "node:fs";
const log = new URL("./handled.jsonl", import.meta.url);
export default async function handle({ conversation, text, attempt, redelivered }) {
  await new Promise((resolve) => setImmediate(resolve));
  appendFileSync(log, JSON.stringify({ conversation, text, attempt, redelivered }) + "\\n");
  if (text === "${deadlyText}" && attempt === 1) process.kill(process.pid, "SIGKILL");
  return "did " + text;
}
`;

/** One call of the handler. */
export type Handled = {
  readonly conversation: string;
  readonly text: string;
  readonly attempt: number;
  readonly redelivered: boolean;
};

/** What the handler in `dir` has noted, from `fromByte` of its file on. */
export function handledIn(dir: string, fromByte = 0): readonly Handled[] {
  const lines = readFileSync(join(dir, "handled.jsonl")).subarray(fromByte).toString("utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Handled);
}

/** Where the run goes and how much it is. */
export type NumberedRunOptions = {
  readonly port: number;
  readonly conversations: number;
  readonly messagesEach: number;
  /** Resolves when the webhook can be tried again. */
  readonly up: () => Promise<unknown>;
};

type Answer = { readonly status: number; readonly json: unknown };

/** One client per conversation, each sending its next message once the last one is accepted. */
export class NumberedRun implements Disposable {
  readonly #options: NumberedRunOptions;
  readonly #agent: Agent;
  readonly #waiters = new Map<() => void, number>();
  /** How many were answered with 202. */
  accepted = 0;
  /** How often a message was sent again because its answer was lost. */
  resent = 0;

  constructor(options: NumberedRunOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.conversations });
  }

  get total(): number {
    return this.#options.conversations * this.#options.messagesEach;
  }

  /** Resolves when so many more are accepted, or all. */
  more(messages: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.set(resolve, Math.min(this.total, this.accepted + messages));
    this.#wake();
    return promise;
  }

  /** Posts all of them, each until it is accepted. */
  async post(): Promise<void> {
    const { conversations, messagesEach } = this.#options;
    const clients = Array.from({ length: conversations }, async (_, conversation) => {
      for (let index = 0; index < messagesEach; index += 1) {
        const text = `${conversation}-${index}`;
        const body = { conversation_id: `c${conversation}`, content: text, message_id: text };
        await this.#insist(202, "POST", "/send", body);
        this.accepted += 1;
        this.#wake();
      }
    });
    await Promise.all(clients);
  }

  /** Asserts that the handler's reply to each message is in its mailbox once, in order. */
  async assertAnsweredOnceInOrder(): Promise<void> {
    const { conversations, messagesEach } = this.#options;
    const clients = Array.from({ length: conversations }, async (_, conversation) => {
      const texts: string[] = [];
      for (let cursor = 0; texts.length < messagesEach;) {
        const json = await this.#insist(200, "GET", `/poll/c${conversation}?wait=60&after=${cursor}`);
        const page = json as { readonly messages: readonly { readonly content: string }[]; readonly cursor: number };
        texts.push(...page.messages.map(({ content }) => content));
        ({ cursor } = page);
      }
      assert.deepEqual(
        texts,
        Array.from({ length: messagesEach }, (__, index) => `did ${conversation}-${index}`),
        "each message is answered exactly once, in order",
      );
    });
    await Promise.all(clients);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #wake(): void {
    for (const [resolve, target] of this.#waiters) {
      if (this.accepted < target) continue;
      this.#waiters.delete(resolve);
      resolve();
    }
  }

  /** Sends the same request until it is answered with `wanted`. */
  async #insist(wanted: number, ...args: [method: string, path: string, body?: unknown]): Promise<unknown> {
    for (;;) {
      try {
        const { status, json } = await this.#send(...args);
        if (status === wanted) return json;
        assert.equal(status, 503, JSON.stringify(json));
      } catch (reason) {
        if (reason instanceof assert.AssertionError) throw reason;
        // Cut off by a kill: whether it was accepted is unknown, so the same id goes again.
      }
      this.resent += 1;
      // Leaves what is dying time to be seen dead, without a clock.
      await new Promise((resolve) => setImmediate(resolve));
      await this.#options.up();
    }
  }

  /** Rejects when the connection fails, as it does when what serves it is killed. */
  #send(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { "content-type": "application/json", "content-length": text.length };
    const options = { host: "127.0.0.1", port: this.#options.port, agent: this.#agent, method, path, headers };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          try {
            const json: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
            resolve({ status: response.statusCode ?? 0, json });
          } catch (reason) {
            reject(reason);
          }
        });
      });
      outgoing.on("error", reject);
      outgoing.end(text);
    });
  }
}
