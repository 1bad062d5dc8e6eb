/** Whether a frame may come in at all. A full journal refuses; what it then does is the platform's to know. */
import { GatewayError } from "../contract/errors.ts";
import { creditWindow } from "../contract/protocol.ts";
import type { Condition } from "../contract/status.ts";
import type { Ledger } from "./ledger.ts";

/** When a refused adapter should try again. */
const fullRetryMs = 5_000;
/** Unaccepted messages of one adapter: its window twice, since a successor may start while its predecessor's wait. */
const queuedMessagesLimit = creditWindow.messages * 2;

/** What admission looks at. */
export type AdmissionOptions = {
  readonly ledger: Ledger;
  /** Unacked bytes the journal may hold; one adapter may hold half of it. */
  readonly maxBytes: () => number;
  readonly journalTrouble: () => string | null;
  readonly now: () => number;
};

/** The gate in front of the intake, and its condition `journal_full`. */
export class Admission {
  readonly #options: AdmissionOptions;
  /** By runtime key, `""` for the journal as a whole: since when it is full. */
  readonly #fullSince = new Map<string, string>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Why a frame of `key` is refused, or `null`. `queuedMessages`: what of it already waits for the journal. */
  refusal(key: string, queuedMessages: number): GatewayError | null {
    const trouble = this.#options.journalTrouble();
    if (trouble !== null) return new GatewayError("journal_unavailable", `Cannot accept from "${key}": ${trouble}`);
    // Both, since a condition stands for what was found full.
    const [own, whole] = [this.#fullness(key), this.#fullness("")];
    const full = own ?? whole;
    if (full !== null) return new GatewayError("queue_full", `Cannot accept from "${key}": ${full}`, { retry });
    if (queuedMessages < queuedMessagesLimit) return null;
    const found = `${queuedMessages} messages wait for the journal, at most ${queuedMessagesLimit} may`;
    return new GatewayError("queue_full", `Cannot accept from "${key}": ${found}`, { retry });
  }

  /** What is full now. */
  conditions(): Condition[] {
    const conditions: Condition[] = [];
    for (const [key, since] of this.#fullSince) {
      const message = this.#fullness(key);
      if (message !== null) conditions.push({ code: "journal_full", key: key === "" ? null : key, message, since });
    }
    return conditions;
  }

  /** In words, or `null`; remembers since when. */
  #fullness(key: string): string | null {
    const { ledger } = this.#options;
    const maxBytes = this.#options.maxBytes();
    const held = key === "" ? ledger.unackedBytes : ledger.key(key).unackedBytes;
    const isFull = key === "" ? held >= maxBytes : held > maxBytes / 2;
    if (!isFull) {
      this.#fullSince.delete(key);
      return null;
    }
    if (!this.#fullSince.has(key)) this.#fullSince.set(key, new Date(this.#options.now()).toISOString());
    return key === ""
      ? `the journal holds ${held} unacked bytes of ${maxBytes}`
      : `it holds ${held} unacked bytes, half of ${maxBytes} at most`;
  }
}

const retry = { kind: "after", delayMs: fullRetryMs } as const;
