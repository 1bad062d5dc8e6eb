/** What became of deliveries, gathered into frames. */
import { GatewayError } from "../src/contract/errors.ts";
import { frameKinds } from "../src/contract/frame.ts";
import { frameMessageLimit, type SettleMeta } from "../src/contract/protocol.ts";
import type { EncodedReply } from "./consumer-context.ts";
import type { ThreadPort } from "./thread-port.ts";

const frameBytes = 4_194_304;

type Settled = SettleMeta["settlements"][number];

/** Sends at the end of the loop's turn, earlier when a frame is full. */
export class SettlementBatch {
  readonly #port: ThreadPort;
  #settlements: Settled[] = [];
  #replies: Uint8Array[] = [];
  #bytes = 0;
  #isScheduled = false;

  constructor(port: ThreadPort) {
    this.#port = port;
  }

  /** One delivery's end. */
  add(settlement: Pick<Settled, "receipt" | "outcome">, reply: EncodedReply | null): void {
    const { receipt, outcome } = settlement;
    if (reply === null) this.#settlements.push({ receipt, outcome, replyBytes: 0, replyIndex: 0 });
    else {
      this.#settlements.push({ receipt, outcome, replyBytes: reply.bytes.length, replyIndex: reply.index });
      this.#replies.push(reply.bytes);
      this.#bytes += reply.bytes.length;
    }
    if (this.#settlements.length >= frameMessageLimit || this.#bytes >= frameBytes) {
      this.flush();
      return;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#port.onTurnEnd(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Sends what is there. */
  flush(): void {
    if (this.#settlements.length === 0) return;
    const settlements = this.#settlements;
    const replies = this.#replies;
    this.#settlements = [];
    this.#replies = [];
    this.#bytes = 0;
    try {
      this.#port.send(frameKinds.data, { settlements }, replies);
    } catch (reason) {
      // An error's text may be as long as a frame: the outcome must get through, whatever it said.
      const error = new GatewayError("internal", "The handler's outcome was too long to be told", { cause: reason });
      this.#port.log.error("settlements-not-sent", { error: error.message });
      this.#port.send(frameKinds.data, { settlements: settlements.map((settled) => withoutReply(settled, error)) });
    }
  }
}

function withoutReply({ receipt }: Settled, error: GatewayError): Settled {
  return { receipt, outcome: { kind: "nack", delayMs: null, error: error.toReport() }, replyBytes: 0, replyIndex: 0 };
}
