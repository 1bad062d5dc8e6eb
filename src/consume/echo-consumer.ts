/** The built-in consumer that answers every text with itself, in the coordinator: for trying things out. */
import type { ConsumerLine, ConsumerPort, Delivery, Dispatcher, Settlement } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { ReplyTo } from "../contract/message.ts";
import { openStoredMessage } from "../contract/open-message.ts";
import type { ConsumerSpec } from "../contract/spec.ts";
import type { Logger } from "../support/logger.ts";

/** Parsing a longer message would hold up the coordinator's loop. */
const longestPayloadBytes = 1_048_576;

/** The one consumer that opens messages on the gateway's own loop; they are our shim's JSON, and bounded. */
export class EchoConsumer implements ConsumerPort, AsyncDisposable {
  readonly name: string;
  readonly #logger: Logger;
  readonly #line: ConsumerLine;
  #pending: Settlement[] = [];

  constructor(options: { readonly spec: ConsumerSpec; readonly dispatcher: Dispatcher; readonly logger: Logger }) {
    const { name, concurrency, timeoutMs, maxAttempts } = options.spec;
    this.name = name;
    this.#logger = options.logger;
    this.#line = options.dispatcher.attach(this, { concurrency, timeoutMs, maxAttempts });
  }

  get inFlight(): number {
    return this.#line.inFlight;
  }

  deliver(deliveries: readonly Delivery[]): void {
    const isFirst = this.#pending.length === 0;
    for (const delivery of deliveries) this.#pending.push(echo(delivery));
    // Not within flow's own call: it is still handing out.
    if (isFirst && this.#pending.length > 0) queueMicrotask(() => this.#settle());
  }

  /** Everything is settled within the tick that brought it. */
  expire(receipts: readonly string[]): void {
    this.#line.release(receipts, { countAttempt: false, error: null });
  }

  /** Takes nothing more. */
  async stop(deadlineMs: number): Promise<void> {
    await this.#line.detach(deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
  }

  #settle(): void {
    const settlements = this.#pending;
    this.#pending = [];
    this.#line.settle(settlements).catch((reason: unknown) => {
      // Flow goes on trying until it is on disk; this is the end of its line.
      this.#logger.warn("settlement-not-written", { consumer: this.name, error: GatewayError.from(reason).message });
    });
  }
}

function echo(delivery: Delivery): Settlement {
  const { receipt, payload } = delivery;
  if (payload.length > longestPayloadBytes)
    return {
      receipt,
      outcome: { kind: "reject", reason: `${payload.length} bytes are too long to echo` },
      reply: null,
    };
  let text: string;
  let replyTo: ReplyTo | undefined;
  try {
    ({ text, replyTo } = openStoredMessage(payload));
  } catch {
    return { receipt, outcome: { kind: "reject", reason: "the stored message is no JSON" }, reply: null };
  }
  if (text === "") return { receipt, outcome: { kind: "ack" }, reply: null };
  const response = Buffer.from(JSON.stringify({ kind: "text", text, replyTo }));
  return { receipt, outcome: { kind: "ack" }, reply: { index: 0, response } };
}
