/** Flow as a consumer sees it, without a journal: remembers what it was told. */
import type {
  ConsumerLimits,
  ConsumerLine,
  ConsumerPort,
  Delivery,
  Dispatcher,
  Settlement,
} from "../../src/contract/delivery.ts";
import { storedPayload } from "./stored-payload.ts";

/** One delivery given back. */
export type ReleasedForTest = {
  readonly receipt: string;
  readonly countAttempt: boolean;
  readonly code: string | null;
};

/** A line; hand out with {@link FakeLine.deliver}. */
export class FakeLine implements ConsumerLine {
  readonly port: ConsumerPort;
  readonly limits: ConsumerLimits;
  readonly settled: Settlement[] = [];
  readonly released: ReleasedForTest[] = [];
  isDetached = false;
  readonly #leases = new Map<string, Delivery>();
  #waiting: (() => void)[] = [];

  constructor(port: ConsumerPort, limits: ConsumerLimits) {
    this.port = port;
    this.limits = limits;
  }

  get inFlight(): number {
    return this.#leases.size;
  }

  /** Hands out messages with these receipts, each its text and in a lane of its own unless changed. */
  deliver(receipts: readonly string[], changes: Partial<Delivery> = {}): void {
    const deliveries = receipts.map((receipt): Delivery => ({
      receipt,
      seq: 1,
      id: `m-${receipt}`,
      key: "web",
      conversation: receipt,
      attempt: 1,
      redelivered: false,
      senderIsAuthority: true,
      bindingSettings: null,
      payload: storedPayload({ id: `m-${receipt}`, text: receipt, conversation: receipt }),
      ...changes,
    }));
    for (const delivery of deliveries) this.#leases.set(delivery.receipt, delivery);
    this.port.deliver(deliveries);
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    for (const settlement of settlements) if (this.#leases.delete(settlement.receipt)) this.settled.push(settlement);
    this.#changed();
  }

  extend(receipt: string): boolean {
    return this.#leases.has(receipt);
  }

  lookup(receipt: string): Delivery | null {
    return this.#leases.get(receipt) ?? null;
  }

  release(receipts: readonly string[], { countAttempt, error }: Parameters<ConsumerLine["release"]>[1]): void {
    for (const receipt of receipts)
      if (this.#leases.delete(receipt)) this.released.push({ receipt, countAttempt, code: error?.code ?? null });
    this.#changed();
  }

  async detach(deadlineMs: number): Promise<void> {
    this.isDetached = true;
    if (deadlineMs > 0) await this.until(() => this.inFlight === 0);
    this.release([...this.#leases.keys()], { countAttempt: false, error: null });
  }

  /** Resolves when something was settled or given back after which `isDone`. */
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
  }

  /** Receipts and the texts of their replies. */
  get replies(): readonly (readonly [receipt: string, text: string | null])[] {
    return this.settled.map(({ receipt, reply }) => [
      receipt,
      reply === null ? null : (JSON.parse(Buffer.from(reply.response).toString()) as { text: string }).text,
    ]);
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Where consumers attach; a test waits for it. */
export class FakeDispatcher implements Dispatcher {
  readonly lines: FakeLine[] = [];
  #waiting: (() => void)[] = [];

  attach(port: ConsumerPort, limits: ConsumerLimits): FakeLine {
    const line = new FakeLine(port, limits);
    this.lines.push(line);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return line;
  }

  /** The `number`th line that was attached, from 1. */
  async line(number = 1): Promise<FakeLine> {
    for (;;) {
      const line = this.lines[number - 1];
      if (line !== undefined) return line;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
  }
}
