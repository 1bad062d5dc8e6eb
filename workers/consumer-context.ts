/** One handler's call: its context, and the count of its replies. */
import type { AdapterLog } from "../src/contract/adapter.ts";
import { GatewayError } from "../src/contract/errors.ts";
import type { HistoryMessage, Message, ReplyTo } from "../src/contract/message.ts";
import type { OpenedDelivery } from "../src/contract/open-message.ts";
import type { HandlerContext } from "../src/contract/handler-context.ts";
import type { RequestMethod } from "../src/contract/protocol.ts";
import type { ResponseInput } from "../src/contract/response.ts";
import { ReplyLine } from "./consumer-replies.ts";
import type { ThreadPort } from "./thread-port.ts";

const longestReplyBytes = 16_777_216;
const defaultHistoryMessages = 50;

/** A reply as it travels: its number among this message's replies, and a Response as JSON. */
export type EncodedReply = { readonly index: number; readonly bytes: Uint8Array };

/** One delivery in its handler's hands. */
export class HandlerCall {
  readonly context: HandlerContext;
  readonly receipt: string;
  readonly #message: Message;
  readonly #replyTo: ReplyTo | null;
  readonly #port: ThreadPort;
  readonly #line = new ReplyLine();
  #abort: AbortController | null = null;
  #abortReason: Error | null = null;
  #replies = 0;
  #sends = 0;

  constructor({ message, replyTo }: OpenedDelivery, receipt: string, port: ThreadPort) {
    this.#message = message;
    this.#replyTo = replyTo;
    this.receipt = receipt;
    this.#port = port;
    this.context = new CallContext(
      {
        reply: (response) => this.#line.add(() => this.#reply(response)),
        setStatus: async (status) => {
          const full = typeof status === "string" ? { kind: status } : status;
          await this.#request("consumer.setStatus", { status: full, replyTo });
        },
        history: async ({ limit = defaultHistoryMessages, before = platformIdOf(message) } = {}) =>
          (await this.#request("consumer.history", { limit, before, replyTo })) as readonly HistoryMessage[],
        send: (target, response) => this.#send(target, response),
        extend: async (ms) => (await this.#request("consumer.extend", { ms })) === true,
      },
      { signal: () => this.#signal(), log: () => this.#log() },
    );
  }

  /** The handler is over its time. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#abort?.abort(reason);
  }

  /**
   * The reply that goes with the ack. One that may have been made by an earlier handling of this message is sent ahead,
   * where repetitions are known; all earlier replies are through then.
   * @throws {GatewayError} `invalid_request` for what is no response, or why a reply was not taken.
   */
  async finish(returned: unknown): Promise<EncodedReply | null> {
    await this.#line.finish();
    if (returned === undefined || returned === null) return null;
    const { bytes, isVolatile } = await this.#encode(returned);
    const { attempt, redelivered } = this.#message;
    if (!isVolatile && attempt === 1 && !redelivered) return { index: this.#replies, bytes };
    await this.#sendReply(bytes, isVolatile);
    return null;
  }

  async #reply(input: ResponseInput): Promise<void> {
    const { bytes, isVolatile } = await this.#encode(input);
    await this.#sendReply(bytes, isVolatile);
  }

  #encode(input: unknown): Encoded | Promise<Encoded> {
    return typeof input === "string" ? encodeText(input, this.#replyTo) : encodeObject(input, this.#replyTo);
  }

  async #sendReply(bytes: Uint8Array, isVolatile: boolean): Promise<void> {
    const index = this.#replies;
    // Chunks have no number: how many there were of them differs from one handling to the next.
    if (!isVolatile) this.#replies += 1;
    await this.#request("consumer.reply", { index, volatile: isVolatile, response: decoder.decode(bytes) });
  }

  async #send(target: string, input: ResponseInput): Promise<{ readonly id: string; readonly state: string }> {
    const index = this.#sends;
    this.#sends += 1;
    const { bytes } = typeof input === "string" ? encodeText(input, null) : await encodeObject(input, null);
    const answer = await this.#request("consumer.send", { target, index, response: decoder.decode(bytes) });
    return answer as { readonly id: string; readonly state: string };
  }

  #request(method: RequestMethod, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.#port.request(method, { ...args, receipt: this.receipt });
  }

  #signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#abortReason !== null) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  #log(): AdapterLog {
    const { log } = this.#port;
    const messageId = this.#message.id;
    return {
      debug: (event, fields) => log.debug(event, { ...fields, messageId }),
      info: (event, fields) => log.info(event, { ...fields, messageId }),
      warn: (event, fields) => log.warn(event, { ...fields, messageId }),
      error: (event, fields) => log.error(event, { ...fields, messageId }),
    };
  }
}

type ContextFunctions = Omit<HandlerContext, "signal" | "log">;
type LazyParts = { readonly signal: () => AbortSignal; readonly log: () => AdapterLog };

/**
 * Functions of its own, which may be taken out of it; what most handlers never use is made when asked for. The accessors
 * are the class's: V8 gives each object with accessors of its own a shape of its own, which lives until a full collection
 * and keeps the whole call alive.
 */
class CallContext implements HandlerContext {
  readonly reply: HandlerContext["reply"];
  readonly setStatus: HandlerContext["setStatus"];
  readonly history: HandlerContext["history"];
  readonly send: HandlerContext["send"];
  readonly extend: HandlerContext["extend"];
  readonly #lazy: LazyParts;

  constructor(functions: ContextFunctions, lazy: LazyParts) {
    this.reply = functions.reply;
    this.setStatus = functions.setStatus;
    this.history = functions.history;
    this.send = functions.send;
    this.extend = functions.extend;
    this.#lazy = lazy;
  }

  get signal(): AbortSignal {
    return this.#lazy.signal();
  }

  get log(): AdapterLog {
    return this.#lazy.log();
  }
}

type Encoded = { readonly bytes: Uint8Array; readonly isVolatile: boolean };

const decoder = new TextDecoder();

function encodeText(text: string, replyTo: ReplyTo | null): Encoded {
  const more = replyTo === null ? "" : `,"replyTo":${JSON.stringify(replyTo)}`;
  return { bytes: bounded(Buffer.from(`{"kind":"text","text":${JSON.stringify(text)}${more}}`)), isVolatile: false };
}

/** The schemas are loaded with the first response that is no plain text: most handlers never need them. */
async function encodeObject(input: unknown, replyTo: ReplyTo | null): Promise<Encoded> {
  const { isVolatile, parseResponse } = await import("../src/contract/response.ts");
  const response = parseResponse(input);
  const isChunk = isVolatile(response);
  // A chunk belongs to a stream that knows already.
  const stored = replyTo === null || isChunk ? response : { ...response, replyTo };
  return { bytes: bounded(Buffer.from(JSON.stringify(stored))), isVolatile: isChunk };
}

function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= longestReplyBytes) return bytes;
  throw new GatewayError(
    "too_large",
    `Cannot send a response of ${bytes.length} bytes: at most ${longestReplyBytes} are allowed`,
  );
}

function platformIdOf(message: Message): string | null {
  const id = message.metadata["message_id"];
  return typeof id === "string" ? id : null;
}
