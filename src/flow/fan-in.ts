/** All adapters' messages into one stream: routed, numbered, committed in groups, and only then accepted. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, WriteResult } from "../contract/journal.ts";
import type { RoutingHeader } from "../contract/message.ts";
import { creditWindow, type DataMeta } from "../contract/protocol.ts";
import type { Logger } from "../support/logger.ts";
import { buildGroup, type Accepting, type Group } from "./accept-group.ts";
import type { Admission } from "./admission.ts";
import type { Entry } from "./entry.ts";
import type { Reservation } from "./handout.ts";
import { Intake, type IntakeFrame } from "./intake.ts";
import type { Latencies } from "./latencies.ts";
import type { Ledger } from "./ledger.ts";
import type { Route } from "./router.ts";

/** What one transaction takes, a little more where the last frame does not end there. */
const groupLimits = { messages: 512, bytes: creditWindow.bytes };
/** The longest resume state, in characters of JSON. */
export const resumeLimit = 65_536;

/**
 * A data frame as the host's relay hands it over. Of which generation is not asked: what an adapter said before its
 * thread's port was drained counts, though it may be dead by now, and what comes later is not handed over.
 */
export type InboundFrame = {
  readonly key: string;
  /** Checked by `parseDataMeta`. */
  readonly meta: DataMeta;
  /** The payloads one after the other; not changed or reused by the caller. */
  readonly body: Uint8Array;
  /** Called once: `null` when all of it is on disk or known, else none is. */
  readonly settle: (error: GatewayError | null) => void;
};

/** A message that was just accepted, for whoever watches. */
export type AcceptedMessage = {
  readonly key: string;
  readonly seq: number;
  readonly header: RoutingHeader;
  readonly consumer: string;
  readonly payload: Uint8Array;
  readonly atMs: number;
};

/** Where accepted messages go on. The dispatcher is one. */
export interface FanInTarget {
  tryReserve(entry: Entry): Reservation | null;
  cancel(reservation: Reservation): void;
  deliver(reservations: readonly Reservation[]): void;
  /** A message that has to wait its turn. {@link FanInTarget.pump} afterwards. */
  enqueue(entry: Entry): void;
  pump(): void;
}

/** What {@link FanIn} needs. */
export type FanInOptions = {
  readonly journal: Pick<Journal, "commit" | "opened">;
  readonly target: FanInTarget;
  readonly admission: Admission;
  readonly ledger: Ledger;
  readonly latencies: Latencies;
  readonly logger: Logger;
  readonly now: () => number;
  readonly route: (header: RoutingHeader, key: string) => Route;
};

/** One transaction at a time; what arrives meanwhile is the next group, in fair shares. */
export class FanIn {
  readonly #options: FanInOptions;
  readonly #intake = new Intake();
  readonly #listeners: ((message: AcceptedMessage) => void)[] = [];
  #firstSeq: number;
  #loop: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: FanInOptions) {
    this.#options = options;
    this.#firstSeq = options.journal.opened.nextSeq;
  }

  /** Takes a frame in, or settles it at once with why not. */
  receive({ key, meta, body, settle }: InboundFrame): void {
    const error = this.#refusal(key);
    if (error !== null) return settle(error);
    const resume = meta.resume === undefined ? undefined : (JSON.stringify(meta.resume) ?? "null");
    if (resume !== undefined && resume.length > resumeLimit) {
      const found = `its resume state has ${resume.length} characters, at most ${resumeLimit} are allowed`;
      return settle(new GatewayError("too_large", `Cannot accept from "${key}": ${found}`));
    }
    const { now, ledger } = this.#options;
    ledger.addBytes(key, body.length);
    this.#intake.push({ key, headers: meta.headers, body, resume, receivedAtMs: now(), settle });
    this.#loop ??= this.#run();
  }

  /** Refuses all that comes from now on; what is in goes its way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when nothing waits for the journal. */
  async idle(): Promise<void> {
    while (this.#loop !== null) await this.#loop;
  }

  /** Calls `listener` with each message that is new and has a consumer, after its commit. */
  onAccepted(listener: (message: AcceptedMessage) => void): void {
    this.#listeners.push(listener);
  }

  #refusal(key: string): GatewayError | null {
    if (this.#isStopped)
      return new GatewayError("adapter_unavailable", `Cannot accept from "${key}": the gateway is stopping`);
    return this.#options.admission.refusal(key, this.#intake.messagesOf(key));
  }

  async #run(): Promise<void> {
    // Lets the other frames of this tick join.
    await Promise.resolve();
    while (!this.#intake.isEmpty) {
      const group = buildGroup(this.#intake.takeGroup(groupLimits), this.#firstSeq, this.#options);
      this.#firstSeq += group.messages.length;
      let results: readonly WriteResult[] = [];
      try {
        if (group.writes.length > 0) results = await this.#options.journal.commit(group.writes);
      } catch (reason) {
        this.#refuse(group, GatewayError.from(reason));
        continue;
      }
      this.#accept(group, results);
    }
    this.#loop = null;
  }

  #accept(group: Group, results: readonly WriteResult[]): void {
    const { target, ledger, latencies, now } = this.#options;
    const nowMs = now();
    for (const frame of group.frames) {
      this.#settle(frame, null);
      latencies.addAccept(nowMs - frame.receivedAtMs);
    }
    for (const { key, bytes } of group.dropped) {
      ledger.addBytes(key, -bytes);
      ledger.count(key, "in", 1);
      ledger.count(key, "dropped", 1);
    }
    const reserved: Reservation[] = [];
    for (const message of group.messages) {
      const { entry, reservation } = message;
      if (results[message.writeIndex]?.duplicate === true) {
        ledger.addBytes(entry.key, -entry.bytes);
        ledger.count(entry.key, "duplicates", 1);
        if (reservation !== null) target.cancel(reservation);
        continue;
      }
      ledger.count(entry.key, "in", 1);
      ledger.addPending(entry);
      if (reservation === null) target.enqueue(entry);
      else reserved.push(reservation);
      if (this.#listeners.length > 0) this.#announce(message);
    }
    target.deliver(reserved);
    target.pump();
  }

  #refuse(group: Group, error: GatewayError): void {
    const { target, ledger, logger } = this.#options;
    logger.warn("group-not-accepted", { messages: group.messages.length, error: error.message });
    for (const { reservation } of group.messages) if (reservation !== null) target.cancel(reservation);
    for (const frame of group.frames) {
      ledger.addBytes(frame.key, -frame.body.length);
      this.#settle(frame, error);
    }
    target.pump();
  }

  #settle(frame: IntakeFrame, error: GatewayError | null): void {
    try {
      frame.settle(error);
    } catch (reason) {
      this.#options.logger.error("settle-failed", { key: frame.key, error: GatewayError.from(reason).message });
    }
  }

  #announce({ entry, header, payload }: Accepting): void {
    const { key, seq, consumer, atMs } = entry;
    for (const listener of this.#listeners)
      try {
        listener({ key, seq, header, consumer, payload, atMs });
      } catch (reason) {
        this.#options.logger.error("watcher-failed", { key, error: GatewayError.from(reason).message });
      }
  }
}
