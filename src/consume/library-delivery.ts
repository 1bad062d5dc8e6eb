/** One message in the hands of code that uses the gateway as a library. */
import { readFile, rm } from "node:fs/promises";
import type { ConsumerLine, Delivery, Settlement } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Message } from "../contract/message.ts";
import { openDelivery } from "../contract/open-message.ts";
import { withReplyTo } from "../contract/reply-to.ts";
import { parseResponse, type ResponseInput } from "../contract/response.ts";
import type { ConsumerServices } from "./consumer-services.ts";

/** What `messages(consumer)` gives. Until it is acked, nacked or rejected its lane waits for it. */
export interface LibraryDelivery {
  readonly message: Message;
  /** Names this attempt; a late answer to an earlier one does nothing. */
  readonly receipt: string;
  /** Done. Resolves when that is on disk. */
  ack(): Promise<void>;
  /** Not done: comes again after `delayMs`, default the consumer's backoff. */
  nack(delayMs?: number): Promise<void>;
  /** Moves its deadline to `ms` from now; `false`: it is over already. */
  extend(ms: number): boolean;
  /** No further attempt can help: a dead letter. */
  reject(reason: string): Promise<void>;
  /**
   * Says something in its conversation, as often as wanted; said once however often the message comes.
   * @throws {GatewayError} `invalid_request` naming the field that is wrong, `unsupported_response`, `conflict` once it is settled.
   */
  respond(response: ResponseInput): Promise<void>;
}

/** Makes one. `onSettled` is called before its outcome is on its way. @throws {SyntaxError} when the payload is no JSON. */
export function createLibraryDelivery(
  delivery: Delivery,
  parts: { readonly line: ConsumerLine; readonly services: ConsumerServices; readonly onSettled: () => void },
): LibraryDelivery {
  const { receipt, key, conversation } = delivery;
  const { line, services, onSettled } = parts;
  let replies = 0;
  let said: Promise<unknown> = Promise.resolve();
  const settle = async (outcome: Settlement["outcome"]): Promise<void> => {
    // What was said before comes before the next message of its lane is handed out.
    await said.catch(() => {});
    onSettled();
    await line.settle([{ receipt, outcome, reply: null }]);
  };
  // A copy: what code does with its message must not reach the config in force.
  const stamped = { ...delivery, bindingSettings: structuredClone(delivery.bindingSettings) };
  const { message, replyTo } = openDelivery(delivery.payload, stamped, async (request) => {
    const { path } = await services.attachment({ ...request, key });
    try {
      return await readFile(path);
    } finally {
      await rm(path, { force: true });
    }
  });
  return {
    message,
    receipt,
    ack: () => settle({ kind: "ack" }),
    nack: (delayMs) => settle({ kind: "nack", delayMs: delayMs ?? null, error: null }),
    extend: (ms) => line.extend(receipt, ms),
    reject: (reason) => settle({ kind: "reject", reason }),
    async respond(input) {
      const response = parseResponse(input);
      if (line.lookup(receipt) === null)
        throw new GatewayError("conflict", "Cannot respond: the message is settled, or was taken back");
      if (response.kind === "stream_chunk") return services.streamChunk({ key, conversation, response });
      const reply = { index: replies, response: Buffer.from(JSON.stringify(withReplyTo(response, replyTo))) };
      replies += 1;
      const mayRepeat = delivery.redelivered || delivery.attempt > 1;
      const say = (): Promise<unknown> =>
        services.replyNow({ key, conversation, messageId: delivery.id, reply, mayRepeat });
      const mine = said.then(say, say);
      said = mine;
      await mine;
    },
  };
}
