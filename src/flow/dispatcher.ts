/** Out of the journal: whose turn it is, and what happens when room, an answer or a deadline comes. */
import type {
  ConsumerLimits,
  ConsumerLine,
  ConsumerPort,
  Dispatcher,
  ReplyWriter,
  Settlement,
} from "../contract/delivery.ts";
import type { Journal, JournalWrite } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { Line, type GiveBack, type Lease, type LineOwner } from "./consumer-line.ts";
import type { ConsumerQueue } from "./consumer-queue.ts";
import { ConsumerQueues } from "./consumer-queues.ts";
import { DelayQueue } from "./delay-queue.ts";
import { isDelayed, type Entry } from "./entry.ts";
import { Handout, type HandoutOptions, type Reservation } from "./handout.ts";
import type { Lane } from "./lane.ts";
import type { LaneLimits } from "./lane-limits.ts";
import { Lanes } from "./lanes.ts";
import type { Latencies } from "./latencies.ts";
import { LeaseDeadlines } from "./lease-deadlines.ts";
import type { Ledger } from "./ledger.ts";
import { Orphans, type Reroute } from "./orphans.ts";
import { Outcomes } from "./outcomes.ts";
import type { OutcomeWriter } from "./outcome-writer.ts";

const unreadableRetryMs = 1_000;

/** What {@link FlowDispatcher} works on. */
export type DispatcherOptions = {
  readonly journal: Pick<Journal, "query">;
  readonly writer: OutcomeWriter;
  readonly ledger: Ledger;
  readonly latencies: Latencies;
  readonly replies: ReplyWriter;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly limits?: LaneLimits;
  readonly stamp: HandoutOptions["stamp"];
  readonly reroute: Reroute;
};

/** Round robin over adapters, then over their lanes, for each consumer by itself: none waits for another's. */
export class FlowDispatcher implements Dispatcher, LineOwner, Disposable {
  readonly lanes: Lanes;
  readonly now: () => number;
  readonly logger: Logger;
  readonly #options: DispatcherOptions;
  readonly #queues = new ConsumerQueues();
  /** Also those that drain. */
  readonly #lines = new Set<Line>();
  readonly #handout: Handout;
  readonly #outcomes: Outcomes;
  readonly #delays: DelayQueue<Lane>;
  readonly #deadlines: LeaseDeadlines;
  readonly #orphans: Orphans;
  #isPaused = false;

  constructor(options: DispatcherOptions) {
    const now = options.now;
    this.#options = options;
    this.now = now;
    this.logger = options.logger;
    const onHead = (lane: Lane): void => this.onHead(lane);
    const pump = (): void => this.pump();
    this.lanes = new Lanes({
      ...options,
      onHead,
      onRead: pump,
      settled: () => options.writer.settled(),
    });
    this.#deadlines = new LeaseDeadlines(this.#lines, this);
    this.#handout = new Handout({
      ...options,
      lanes: this.lanes,
      watch: (deadlineMs) => this.watch(deadlineMs),
      putBack: (reservation, isUnreadable) => this.#putBack(reservation, isUnreadable),
      pump,
    });
    this.#outcomes = new Outcomes({ ...options, lanes: this.lanes, onHead });
    this.#orphans = new Orphans({
      ...options,
      lanes: this.lanes,
      queues: this.#queues,
      onHead,
      delay: (lane) => this.#delay(lane),
      pump,
    });
    this.#delays = new DelayQueue({
      due: (lanes) => {
        lanes.forEach(onHead);
        this.pump();
      },
      now,
    });
  }

  /** Messages with consumers, by consumer; with `null`: all of them. */
  inFlight(consumer: string | null): number {
    let total = 0;
    for (const line of this.#lines) if (consumer === null || line.port.name === consumer) total += line.inFlight;
    return total;
  }

  attach(port: ConsumerPort, limits: ConsumerLimits): ConsumerLine {
    for (const old of this.#lines) if (old.isOver) this.#lines.delete(old);
    const line = new Line(port, limits, this);
    this.#lines.add(line);
    this.#queues.touch(port.name).add(line);
    // After the caller has its line in hand: a delivery must find it ready to settle.
    queueMicrotask(() => this.pump());
    return line;
  }

  /** The names that are configured now; lanes of any other are routed again. */
  configure(consumers: ReadonlySet<string>): void {
    for (const lane of this.#queues.configure(consumers)) this.onHead(lane);
    this.pump();
  }

  /** No more hand-outs: the gateway is stopping. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Resolves when nothing is with a consumer. Paused before, or it may never. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lines].map((line) => line.whenEmpty()));
  }

  /** Keeps a place for a message that is about to be accepted, if it can be handed out the moment it is on disk. */
  tryReserve(entry: Entry): Reservation | null {
    if (this.#isPaused || !this.lanes.canOpen(entry)) return null;
    const queue = this.#queues.get(entry.consumer);
    const line = queue === undefined || queue.ready.size > 0 ? null : queue.lineWithRoom();
    if (line === null) return null;
    line.reserved += 1;
    entry.isLeasedOnDisk = true;
    return { entry, lane: this.lanes.open(entry), line };
  }

  /** A reserved message that was not accepted. */
  cancel({ lane, line }: Reservation): void {
    line.unreserve();
    this.#queues.touch(line.port.name);
    this.lanes.advance(lane);
  }

  /** Reserved messages that are on disk now. */
  deliver(reservations: readonly Reservation[]): void {
    for (const reservation of reservations) this.#handout.add(reservation);
    this.#handout.flush();
  }

  /** A message that waits its turn. {@link pump} afterwards. */
  enqueue(entry: Entry): void {
    this.lanes.append(entry);
  }

  settle(line: Line, settlements: readonly Settlement[]): Promise<void> {
    const settled = this.#outcomes.settle(line, settlements);
    this.#queues.touch(line.port.name);
    this.pump();
    return settled;
  }

  giveBack(line: Line, leases: readonly Lease[], options: GiveBack): void {
    this.#outcomes.giveBack(line, leases, options);
    this.#queues.touch(line.port.name);
    this.pump();
  }

  watch(deadlineMs: number): void {
    this.#deadlines.watch(deadlineMs);
  }

  close(line: Line): void {
    line.isClosed = true;
    this.#queues.touch(line.port.name).remove(line);
    this.pump();
  }

  /** A lane's head may go: now, later, or, where its consumer is gone, elsewhere. {@link pump} afterwards. */
  onHead(lane: Lane): void {
    const head = lane.entries[0];
    if (head === undefined) return;
    if (isDelayed(head, this.now())) {
      lane.state = "delayed";
      return this.#delays.push(head.notBeforeMs, lane);
    }
    lane.state = "ready";
    this.#queues.touch(head.consumer).ready.push(lane);
  }

  /** Hands out what there is room for. Call it once after each change. */
  pump(): void {
    if (this.#isPaused) return;
    for (const queue of this.#queues.touched())
      if (this.#queues.isKnown(queue)) this.#handOut(queue);
      else void this.#orphans.sendElsewhere(queue);
  }

  [Symbol.dispose](): void {
    this.pause();
    this.#delays[Symbol.dispose]();
    this.#deadlines[Symbol.dispose]();
    this.lanes[Symbol.dispose]();
  }

  #handOut(queue: ConsumerQueue): void {
    const chosen: Reservation[] = [];
    const writes: JournalWrite[] = [];
    while (queue.ready.size > 0) {
      const line = queue.lineWithRoom();
      const lane = line === null ? undefined : queue.ready.shift();
      const entry = lane?.entries[0];
      if (line === null || lane === undefined || entry === undefined) break;
      lane.state = "leased";
      line.reserved += 1;
      if (!entry.isLeasedOnDisk) writes.push({ op: "lease", seq: entry.seq });
      entry.isLeasedOnDisk = true;
      chosen.push({ entry, lane, line });
    }
    if (chosen.length === 0) return;
    // Without writes too: what runs before it in the queue must stay before it.
    this.#options.writer.add({
      writes,
      written: () => this.#handout.start(chosen),
      failed: () => chosen.forEach((reservation) => this.#putBack(reservation, true)),
    });
  }

  #putBack({ entry, lane, line }: Reservation, isUnreadable: boolean): void {
    line.unreserve();
    // Its lease is on disk, or was refused: written again it changes nothing.
    if (isUnreadable) {
      entry.isLeasedOnDisk = false;
      return this.#delay(lane);
    }
    this.onHead(lane);
    queueMicrotask(() => this.pump());
  }

  #delay(lane: Lane): void {
    lane.state = "delayed";
    this.#delays.push(this.now() + unreadableRetryMs, lane);
  }
}
