/**
 * Conversations with work: each delivered in order, one message at a time. A lane keeps a few messages in memory and
 * knows how far the journal goes on; one without messages does not exist.
 */
import type { Journal } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { GatewayError } from "../contract/errors.ts";
import { DelayQueue } from "./delay-queue.ts";
import { detachPayload, entryOf, type Entry } from "./entry.ts";

/** Most messages of one lane in memory. */
export const laneMemoryLimit = 64;
/** Most payload bytes of waiting messages in memory: 64 MiB. */
export const payloadMemoryLimit = 67_108_864;
/** At this few left, more are read ahead. */
const readAheadBelow = 16;
const readRetryMs = 1_000;

/** What a lane's head is doing. `empty`: none in memory, more on disk. */
export type LaneState = "empty" | "ready" | "delayed" | "leased" | "rerouting";

/** One conversation of one adapter. */
export class Lane {
  readonly key: string;
  readonly conversation: string;
  /** The head first; it stays until it is done. In order of `seq`. */
  readonly entries: Entry[] = [];
  state: LaneState = "empty";
  isReading = false;
  /** What is on disk has changed since the read began: its answer may lack something. */
  isAnswerStale = false;
  /** Everything of this lane up to here is or was in memory. */
  readUpTo = 0;
  /** The newest of this lane that was left on disk. */
  diskUpTo = 0;

  constructor(key: string, conversation: string) {
    this.key = key;
    this.conversation = conversation;
  }

  /** There are messages after those in memory. */
  get hasMoreOnDisk(): boolean {
    return this.diskUpTo > this.readUpTo;
  }
}

/** What {@link Lanes} needs. */
export type LanesOptions = {
  readonly journal: Pick<Journal, "query">;
  /** A lane has a new head: decide when it goes. */
  readonly onHead: (lane: Lane) => void;
  /** Called after heads appeared outside any call of the owner. */
  readonly onRead: () => void;
  readonly logger: Logger;
  readonly now: () => number;
};

/** All lanes. */
export class Lanes implements Disposable {
  readonly #options: LanesOptions;
  readonly #byKey = new Map<string, Map<string, Lane>>();
  readonly #retries: DelayQueue<Lane>;
  #payloadBytes = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#retries = new DelayQueue({
      due: (lanes) => lanes.forEach((lane) => this.#readMore(lane)),
      now: options.now,
    });
  }

  /** Payload bytes of entries held in memory. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** The lane, while it has work. */
  find(key: string, conversation: string): Lane | undefined {
    return this.#byKey.get(key)?.get(conversation);
  }

  /** A new lane whose head is already on its way to a consumer. The caller has looked: there is none. */
  open(entry: Entry): Lane {
    const lane = this.#create(entry);
    lane.entries.push(entry);
    lane.readUpTo = entry.seq;
    lane.state = "leased";
    this.#payloadBytes += entry.payload?.length ?? 0;
    return lane;
  }

  /** The newest message of its lane; kept in memory where there is room, else read back later. */
  append(entry: Entry): void {
    const lane = this.find(entry.key, entry.conversation) ?? this.#create(entry);
    // Reading ahead may have met it on disk before its commit was announced here.
    if (entry.seq <= lane.readUpTo) return;
    if (lane.entries.length >= laneMemoryLimit || lane.hasMoreOnDisk) {
      lane.diskUpTo = entry.seq;
      return;
    }
    lane.readUpTo = entry.seq;
    this.#hold(lane, lane.entries.length, entry);
  }

  /** An older message back in its place: before every newer one, but never before the head. */
  insert(entry: Entry): void {
    const lane = this.find(entry.key, entry.conversation) ?? this.#create(entry);
    if (lane.hasMoreOnDisk && entry.seq > lane.readUpTo) {
      lane.diskUpTo = Math.max(lane.diskUpTo, entry.seq);
      lane.isAnswerStale = true;
      return;
    }
    if (lane.entries.some((held) => held.seq === entry.seq)) return;
    const newer = lane.entries.findIndex((held, index) => index > 0 && held.seq > entry.seq);
    const index = newer === -1 ? lane.entries.length : newer;
    lane.readUpTo = Math.max(lane.readUpTo, entry.seq);
    this.#hold(lane, index, entry);
    if (lane.entries.length > laneMemoryLimit) this.#putBack(lane);
  }

  /** The head is done: the next one's turn. A lane with nothing left goes. */
  advance(lane: Lane): void {
    const head = lane.entries.shift();
    if (head !== undefined) this.dropPayload(head);
    if (lane.entries.length === 0 && !lane.hasMoreOnDisk) return this.#remove(lane);
    if (lane.entries.length < readAheadBelow && lane.hasMoreOnDisk) this.#readMore(lane);
    lane.state = "empty";
    if (lane.entries.length > 0) this.#options.onHead(lane);
  }

  /** Gives an entry its payload, read from the journal. */
  attachPayload(entry: Entry, payload: Uint8Array): void {
    this.dropPayload(entry);
    entry.payload = payload;
    this.#payloadBytes += payload.length;
  }

  /** Forgets an entry's payload; it can be read again. */
  dropPayload(entry: Entry): void {
    this.#payloadBytes -= entry.payload?.length ?? 0;
    entry.payload = null;
  }

  /** Nothing is read any more. */
  [Symbol.dispose](): void {
    this.#retries[Symbol.dispose]();
  }

  #create(entry: Entry): Lane {
    const lane = new Lane(entry.key, entry.conversation);
    let lanes = this.#byKey.get(entry.key);
    if (lanes === undefined) {
      lanes = new Map();
      this.#byKey.set(entry.key, lanes);
    }
    lanes.set(entry.conversation, lane);
    return lane;
  }

  #remove(lane: Lane): void {
    this.#byKey.get(lane.key)?.delete(lane.conversation);
  }

  #hold(lane: Lane, index: number, entry: Entry): void {
    if (entry.payload !== null) {
      if (this.#payloadBytes + entry.payload.length > payloadMemoryLimit) entry.payload = null;
      else entry.payload = detachPayload(entry.payload);
      this.#payloadBytes += entry.payload?.length ?? 0;
    }
    if (index === lane.entries.length) lane.entries.push(entry);
    else lane.entries.splice(index, 0, entry);
    if (lane.state === "empty") this.#options.onHead(lane);
  }

  /** The newest entry makes room: it and all after it are on disk. */
  #putBack(lane: Lane): void {
    const last = lane.entries.pop();
    const newest = lane.entries.at(-1);
    if (last === undefined || newest === undefined) return;
    this.dropPayload(last);
    lane.diskUpTo = Math.max(lane.diskUpTo, last.seq);
    lane.readUpTo = newest.seq;
    lane.isAnswerStale = true;
  }

  #readMore(lane: Lane): void {
    // A lane without more may be gone, and another in its place.
    if (lane.isReading || !lane.hasMoreOnDisk) return;
    lane.isReading = true;
    lane.isAnswerStale = false;
    void this.#read(lane);
  }

  async #read(lane: Lane): Promise<void> {
    const { key, conversation, readUpTo: afterSeq, diskUpTo } = lane;
    const limit = laneMemoryLimit - lane.entries.length;
    try {
      const rows = await this.#options.journal.query("lane", { key, conversation, afterSeq, limit });
      lane.isReading = false;
      if (!lane.isAnswerStale) {
        if (rows.length < limit) lane.readUpTo = Math.max(lane.readUpTo, diskUpTo);
        for (const row of rows) {
          lane.readUpTo = Math.max(lane.readUpTo, row.seq);
          this.#hold(lane, lane.entries.length, entryOf(row));
        }
      }
      if (lane.entries.length === 0) {
        if (lane.hasMoreOnDisk) this.#readMore(lane);
        else this.#remove(lane);
      }
      this.#options.onRead();
    } catch (reason) {
      lane.isReading = false;
      const error = GatewayError.from(reason).message;
      this.#options.logger.warn("lane-not-read", { key, error });
      this.#retries.push(this.#options.now() + readRetryMs, lane);
    }
  }
}
