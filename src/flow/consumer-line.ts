/** One attached consumer: what it has under lease, until when, and what it may still take. */
import type { ConsumerLimits, ConsumerLine, ConsumerPort, Delivery, Settlement } from "../contract/delivery.ts";
import type { ErrorReport } from "../contract/errors.ts";
import type { Logger } from "../support/logger.ts";
import { withDeadline } from "../support/time.ts";
import type { Entry } from "./entry.ts";
import type { Lane } from "./lane.ts";

/** One message with its consumer. */
export type Lease = {
  readonly delivery: Delivery;
  readonly entry: Entry;
  readonly lane: Lane;
  /** When the consumer is told, and once it was, when the message is taken from it. */
  deadlineMs: number;
  isExpired: boolean;
};

/** How a lease ends without an outcome. */
export type GiveBack = { readonly countAttempt: boolean; readonly error: ErrorReport | null };

/** What a line needs of the dispatcher. */
export interface LineOwner {
  settle(line: Line, settlements: readonly Settlement[]): Promise<void>;
  giveBack(line: Line, leases: readonly Lease[], options: GiveBack): void;
  /** A lease's deadline was moved to this time. */
  watch(deadlineMs: number): void;
  /** No new deliveries for it. */
  close(line: Line): void;
  readonly now: () => number;
  readonly logger: Logger;
}

/** A consumer's end of flow. */
export class Line implements ConsumerLine {
  readonly port: ConsumerPort;
  readonly limits: ConsumerLimits;
  /** Deliveries of this tick, handed over in one call. */
  outgoing: Delivery[] = [];
  /** Chosen for this consumer, their leases not yet on disk. */
  reserved = 0;
  isClosed = false;
  readonly #leases = new Map<string, Lease>();
  readonly #owner: LineOwner;
  #waiting: (() => void)[] = [];

  constructor(port: ConsumerPort, limits: ConsumerLimits, owner: LineOwner) {
    this.port = port;
    this.limits = limits;
    this.#owner = owner;
  }

  get inFlight(): number {
    return this.#leases.size + this.reserved;
  }

  /** It takes no more and has nothing left. */
  get isOver(): boolean {
    return this.isClosed && this.inFlight === 0;
  }

  /** It may take another. Read from `limits` each time: a stream's credit changes. */
  get hasRoom(): boolean {
    return !this.isClosed && this.#leases.size + this.reserved < this.limits.concurrency;
  }

  settle(settlements: readonly Settlement[]): Promise<void> {
    return this.#owner.settle(this, settlements);
  }

  extend(receipt: string, ms: number): boolean {
    const lease = this.#leases.get(receipt);
    // Once told to give it up, a consumer cannot change its mind: its handler may already be aborted.
    if (lease === undefined || lease.isExpired || !Number.isFinite(ms)) return false;
    lease.deadlineMs = this.#owner.now() + Math.max(0, ms);
    this.#owner.watch(lease.deadlineMs);
    return true;
  }

  lookup(receipt: string): Delivery | null {
    return this.#leases.get(receipt)?.delivery ?? null;
  }

  release(receipts: readonly string[], options: GiveBack): void {
    const leases: Lease[] = [];
    for (const receipt of receipts) {
      const lease = this.take(receipt);
      if (lease !== undefined) leases.push(lease);
    }
    if (leases.length > 0) this.#owner.giveBack(this, leases, options);
  }

  async detach(deadlineMs: number): Promise<void> {
    this.#owner.close(this);
    await withDeadline(this.whenEmpty(), deadlineMs, "handling of deliveries").catch(() => {
      // The deadline ends the waiting; what is left is released.
    });
    this.release([...this.#leases.keys()], { countAttempt: false, error: null });
  }

  /** Resolves when nothing is in flight. */
  whenEmpty(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    return promise;
  }

  /** Adds a lease; its place was reserved. */
  add(lease: Lease): void {
    this.reserved -= 1;
    this.#leases.set(lease.delivery.receipt, lease);
    this.outgoing.push(lease.delivery);
  }

  /** Takes a lease out; `undefined` when the receipt is no longer valid, or never was this line's. */
  take(receipt: string): Lease | undefined {
    const lease = this.#leases.get(receipt);
    if (lease === undefined) return undefined;
    this.#leases.delete(receipt);
    this.#noteEmpty();
    return lease;
  }

  /** Gives a reserved place back. */
  unreserve(): void {
    this.reserved -= 1;
    this.#noteEmpty();
  }

  /** Every lease, for the sweep of deadlines. */
  leases(): Iterable<Lease> {
    return this.#leases.values();
  }

  #noteEmpty(): void {
    if (this.inFlight > 0 || this.#waiting.length === 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
