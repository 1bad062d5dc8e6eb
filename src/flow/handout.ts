/** The last step to a consumer: messages whose leases are on disk get their payloads, receipts and deadlines. */
import type { Delivery, RouterStamp } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Journal } from "../contract/journal.ts";
import type { RoutingHeader } from "../contract/message.ts";
import type { Logger } from "../support/logger.ts";
import type { Line } from "./consumer-line.ts";
import { detachPayload, type Entry } from "./entry.ts";
import { parseStoredHeader } from "./stored-header.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { Latencies } from "./latencies.ts";
import type { Ledger } from "./ledger.ts";

/** A message with a place at a consumer kept for it while its lease is written. */
export type Reservation = { readonly entry: Entry; readonly lane: Lane; readonly line: Line };

/** A view into a longer buffer than this is copied before it is kept for as long as a handler takes. */
const longFrameBytes = 65_536;
/** For a message whose header cannot be read: nobody knows whether its sender may give commands. */
const nothingGranted: RouterStamp = { senderIsAuthority: false, bindingSettings: null };

/** What {@link Handout} needs. */
export type HandoutOptions = {
  readonly journal: Pick<Journal, "query">;
  readonly lanes: Lanes;
  readonly ledger: Ledger;
  readonly latencies: Latencies;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  /** What the router in force says of a message. */
  readonly stamp: (header: RoutingHeader, key: string) => RouterStamp;
  /** A lease ends at this time. */
  readonly watch: (deadlineMs: number) => void;
  /** It is not handed out after all. `isUnreadable`: because the journal could not be read. */
  readonly putBack: (reservation: Reservation, isUnreadable: boolean) => void;
  /** Called after work that nobody waits for. */
  readonly pump: () => void;
};

/** Hands over in one call per consumer what one tick brings. */
export class Handout {
  readonly #options: HandoutOptions;
  /** Receipts of an earlier life of the gateway must not fit this one's leases. */
  readonly #life: string;
  #leases = 0;
  readonly #due = new Set<Line>();

  constructor(options: HandoutOptions) {
    this.#options = options;
    this.#life = Math.floor(options.random() * 2 ** 40).toString(36);
  }

  /** Queues one message for its consumer's next batch. Its lease is on disk and its payload in memory. */
  add(reservation: Reservation): void {
    const { entry, lane, line } = reservation;
    if (entry.payload === null || line.isClosed) return this.#options.putBack(reservation, false);
    if (entry.payload.buffer.byteLength > longFrameBytes) entry.payload = detachPayload(entry.payload);
    const nowMs = this.#options.now();
    this.#leases += 1;
    const { seq, id, key, conversation, attempt, isRedelivered: redelivered, payload, header } = entry;
    const receipt = `${seq}.${attempt}.${this.#life}-${this.#leases}`;
    // Asked now and not when it was accepted: it may have waited through several configs.
    const { senderIsAuthority, bindingSettings } = header === null ? nothingGranted : this.#options.stamp(header, key);
    const delivery: Delivery = {
      receipt,
      seq,
      id,
      key,
      conversation,
      attempt,
      redelivered,
      payload,
      senderIsAuthority,
      bindingSettings,
    };
    const deadlineMs = nowMs + line.limits.timeoutMs;
    line.add({ delivery, entry, lane, deadlineMs, isExpired: false });
    this.#due.add(line);
    this.#options.watch(deadlineMs);
    this.#options.ledger.moveLeased(entry, 1);
    if (!redelivered) this.#options.latencies.addDelivery(nowMs - entry.atMs);
  }

  /** Hands over what was added. */
  flush(): void {
    for (const line of this.#due) {
      const deliveries = line.outgoing;
      line.outgoing = [];
      this.#due.delete(line);
      try {
        line.port.deliver(deliveries);
      } catch (reason) {
        const error = GatewayError.from(reason);
        this.#options.logger.error("delivery-failed", { consumer: line.port.name, error: error.message });
        const receipts = deliveries.map((delivery) => delivery.receipt);
        line.release(receipts, { countAttempt: false, error: null });
      }
    }
  }

  /** Hands over a batch, after reading the payloads that are not in memory. */
  start(reservations: readonly Reservation[]): void {
    const unread: Reservation[] = [];
    for (const reservation of reservations)
      if (reservation.entry.payload === null && !reservation.line.isClosed) unread.push(reservation);
      else this.add(reservation);
    this.flush();
    if (unread.length > 0) void this.#read(unread);
  }

  async #read(reservations: readonly Reservation[]): Promise<void> {
    try {
      const seqs = reservations.map(({ entry }) => entry.seq);
      const { journal } = this.#options;
      const [rows, headerRows] = await Promise.all([
        journal.query("payloads", { seqs }),
        journal.query("headers", { seqs }),
      ]);
      const payloads = new Map(rows.map((row) => [row.seq, row.payload]));
      const headers = new Map(headerRows.map((row) => [row.seq, row.header]));
      for (const reservation of reservations) {
        const payload = payloads.get(reservation.entry.seq);
        if (payload === undefined) this.#skip(reservation);
        else {
          const header = parseStoredHeader(headers.get(reservation.entry.seq));
          this.#options.lanes.payloads.attach(reservation.entry, payload, header);
          this.add(reservation);
        }
      }
    } catch (reason) {
      this.#options.logger.warn("payloads-not-read", { error: GatewayError.from(reason).message });
      for (const reservation of reservations)
        if (reservation.entry.payload === null) this.#options.putBack(reservation, true);
    }
    this.flush();
    this.#options.pump();
  }

  /** A row that is not there can never be delivered; its lane must not wait for it. */
  #skip({ entry, lane, line }: Reservation): void {
    this.#options.logger.error("message-not-in-journal", { key: entry.key, messageId: entry.id });
    line.unreserve();
    this.#options.ledger.moveLeased(entry, 1);
    this.#options.ledger.close(entry, false);
    this.#options.lanes.advance(lane);
  }
}
