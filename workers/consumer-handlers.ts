/** Runs handlers side by side: one call per delivery, settled by what it returns or throws. */
import { GatewayError } from "../src/contract/errors.ts";
import { parseMeta, type Frame } from "../src/contract/frame.ts";
import type { Message } from "../src/contract/message.ts";
import { openDelivery } from "../src/contract/open-message.ts";
import type { DeliverMeta } from "../src/contract/protocol.ts";
import { isRejectMessage } from "../src/contract/reject-message.ts";
import type { HandlerContext } from "../src/contract/handler-context.ts";
import { Slots } from "../src/support/slots.ts";
import { HandlerCall } from "./consumer-context.ts";
import { readAttachment } from "./consumer-attachments.ts";
import { SettlementBatch } from "./consumer-settlements.ts";
import type { ThreadPort } from "./thread-port.ts";

/** A consumer module's default export. A returned string or response is the reply; whatever else it returns is an error. */
export type Handler = (message: Message, context: HandlerContext) => unknown;

type DeliveryMeta = DeliverMeta["deliveries"][number];

/** All handlers of one thread. */
export class HandlerRunner {
  readonly #handler: Handler;
  readonly #port: ThreadPort;
  readonly #settlements: SettlementBatch;
  readonly #calls = new Slots<HandlerCall>();

  constructor(handler: Handler, port: ThreadPort) {
    this.#handler = handler;
    this.#port = port;
    this.#settlements = new SettlementBatch(port);
  }

  /** Messages to handle, and receipts whose handlers are over their time. */
  deliver(frame: Frame): void {
    // Made by the coordinator of the same version: trusted.
    const { deliveries, abort } = parseMeta(frame) as DeliverMeta;
    let offset = 0;
    for (const delivery of deliveries) {
      const payload = frame.body.subarray(offset, offset + delivery.bytes);
      offset += delivery.bytes;
      void this.#handle(delivery, payload);
    }
    if (abort.length === 0) return;
    for (const call of this.#calls.values())
      if (abort.includes(call.receipt)) call.abort(new GatewayError("timeout", "The handler is over its time"));
  }

  /** Sends what is settled, now. */
  flush(): void {
    this.#settlements.flush();
  }

  /** Never rejects: every end of a handler is a settlement. */
  async #handle(delivery: DeliveryMeta, payload: Uint8Array): Promise<void> {
    const { receipt } = delivery;
    let callId = 0;
    let message: Message | null = null;
    try {
      const opened = openDelivery(payload, delivery, (request) => readAttachment(this.#port, receipt, request));
      ({ message } = opened);
      const call = new HandlerCall(opened, receipt, this.#port);
      callId = this.#calls.add(call);
      const returned = await this.#handler(message, call.context);
      const reply = await call.finish(returned);
      this.#settlements.add({ receipt, outcome: { kind: "ack" } }, reply);
    } catch (reason) {
      if (isRejectMessage(reason)) {
        this.#settlements.add({ receipt, outcome: { kind: "reject", reason: reason.message || "rejected" } }, null);
      } else {
        const error = GatewayError.from(reason).toReport();
        // Without a message: its payload could not be read.
        const ids = { key: message?.adapter ?? null, messageId: message?.id ?? null, receipt };
        this.#port.log.warn("handler-failed", { ...ids, error: error.stack ?? error.message });
        this.#settlements.add({ receipt, outcome: { kind: "nack", delayMs: null, error } }, null);
      }
    } finally {
      this.#calls.delete(callId);
    }
  }
}
