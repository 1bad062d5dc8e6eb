/**
 * Conversations with work: each delivered in order, one message at a time. A lane keeps a few messages in memory and
 * knows how far the journal goes on; one without messages does not exist. Nor does every one with messages: beyond a
 * number of lanes the rest stays on disk until some are free.
 */
import type { Journal } from "../contract/journal.ts";
import type { PendingRow } from "../contract/journal-query.ts";
import type { Logger } from "../support/logger.ts";
import { AdapterLanes } from "./adapter-lanes.ts";
import type { Backlog } from "./backlog.ts";
import { BacklogReader } from "./backlog-reader.ts";
import { entryOf, type Entry } from "./entry.ts";
import { Lane } from "./lane.ts";
import { LaneReader } from "./lane-reader.ts";
import { laneLimits, type LaneLimits } from "./lane-limits.ts";
import { PayloadMemory } from "./payload-memory.ts";

/** What {@link Lanes} needs. */
export type LanesOptions = {
  readonly journal: Pick<Journal, "query">;
  /** Resolves when all that is settled so far is on disk. */
  readonly settled: () => Promise<void>;
  /** @default laneLimits */
  readonly limits?: LaneLimits;
  /** A lane has a new head: decide when it goes. */
  readonly onHead: (lane: Lane) => void;
  /** Called after heads appeared outside any call of the owner. */
  readonly onRead: () => void;
  readonly logger: Logger;
  readonly now: () => number;
};

/** All lanes. */
export class Lanes implements Disposable {
  readonly payloads = new PayloadMemory();
  readonly #options: LanesOptions;
  readonly #limits: LaneLimits;
  readonly #byKey = new Map<string, AdapterLanes>();
  readonly #reader: LaneReader;
  readonly #backlogs: BacklogReader;
  #lanes = 0;
  #messages = 0;

  constructor(options: LanesOptions) {
    const limits = options.limits ?? laneLimits;
    this.#options = options;
    this.#limits = limits;
    const roomFor = (backlog: Backlog): number => this.#roomFor(backlog);
    this.#backlogs = new BacklogReader({ ...options, limits, roomFor, take: (...page) => this.#takePage(...page) });
    this.#reader = new LaneReader({
      ...options,
      roomIn: (lane) => Math.max(1, this.#perLane - lane.entries.length),
      take: (lane, rows) => this.#takeNext(lane, rows),
      onEmpty: (lane) => this.#remove(lane),
    });
  }

  /** How many have work and are in memory. */
  get size(): number {
    return this.#lanes;
  }

  /** Messages held in memory. */
  get messages(): number {
    return this.#messages;
  }

  /** The lane, while it has work and is in memory. */
  find(key: string, conversation: string): Lane | undefined {
    return this.#byKey.get(key)?.lanes.get(conversation);
  }

  /** There is no lane for this message, nothing of it on disk, and room for one. */
  canOpen(entry: Entry): boolean {
    const adapter = this.#byKey.get(entry.key);
    if (adapter === undefined) return true;
    if (adapter.behind > 0 || adapter.lanes.has(entry.conversation)) return false;
    return this.#roomFor(adapter.backlog(entry.consumer)) > 0;
  }

  /** A new lane whose head is already on its way to a consumer. {@link Lanes.canOpen} said yes. */
  open(entry: Entry): Lane {
    const lane = this.#create(this.#adapter(entry.key).backlog(entry.consumer), entry.conversation);
    lane.entries.push(entry);
    this.#messages += 1;
    lane.readUpTo = entry.seq;
    lane.state = "leased";
    this.payloads.keep(entry);
    return lane;
  }

  /** The newest message of its lane; kept in memory where there is room, else read back later. */
  append(entry: Entry): void {
    const adapter = this.#adapter(entry.key);
    const lane = adapter.lanes.get(entry.conversation);
    if (lane === undefined) return this.#place(adapter, entry);
    // Reading ahead may have met it on disk before its commit was announced here.
    if (entry.seq > lane.readUpTo) this.#addNewest(lane, entry, lane.mayHaveMoreOnDisk);
  }

  /** An older message back in its place: before every newer one, but never before the head. */
  insert(entry: Entry): void {
    const adapter = this.#adapter(entry.key);
    const lane = adapter.lanes.get(entry.conversation);
    if (lane === undefined) return this.#place(adapter, entry);
    if (lane.mayHaveMoreOnDisk && entry.seq > lane.readUpTo) {
      lane.diskUpTo = Math.max(lane.diskUpTo, entry.seq);
      lane.isAnswerStale = true;
      return;
    }
    if (lane.entries.some((held) => held.seq === entry.seq)) return;
    const newer = lane.entries.findIndex((held, index) => index > 0 && held.seq > entry.seq);
    const index = newer === -1 ? lane.entries.length : newer;
    lane.readUpTo = Math.max(lane.readUpTo, entry.seq);
    this.#hold(lane, index, entry);
    if (lane.entries.length > this.#limits.perLane) this.#putBack(lane);
  }

  /** The head is done: the next one's turn. A lane with nothing left goes. */
  advance(lane: Lane): void {
    const head = lane.entries.shift();
    if (head !== undefined) {
      this.#messages -= 1;
      this.payloads.drop(head);
      lane.backlog.adapter.noteDone(head.seq);
    }
    if (lane.entries.length === 0 && !lane.hasMoreOnDisk) return this.#remove(lane);
    if (lane.entries.length < this.#perLane / 4 && lane.hasMoreOnDisk) this.#reader.readMore(lane);
    lane.state = "empty";
    if (lane.entries.length > 0) this.#options.onHead(lane);
  }

  /** Nothing is read any more. */
  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
    this.#backlogs[Symbol.dispose]();
  }

  /** Most messages of one lane in memory, as things are. */
  get #perLane(): number {
    const { messages, perLane, perFullLane } = this.#limits;
    return this.#messages < messages ? perLane : perFullLane;
  }

  #roomFor(backlog: Backlog): number {
    return Math.max(this.#limits.lanesPerBacklog - backlog.lanes, this.#limits.lanes - this.#lanes);
  }

  #adapter(key: string): AdapterLanes {
    let adapter = this.#byKey.get(key);
    if (adapter === undefined) {
      adapter = new AdapterLanes(key);
      this.#byKey.set(key, adapter);
    }
    return adapter;
  }

  /** A message whose lane is not in memory. */
  #place(adapter: AdapterLanes, entry: Entry): void {
    const backlog = adapter.backlog(entry.consumer);
    if (backlog.isBehind || this.#roomFor(backlog) <= 0) return backlog.leave(entry.seq);
    const lane = this.#create(backlog, entry.conversation);
    // What another consumer's backlog has of it comes first.
    if (adapter.behind > 0) return this.#readWhole(lane, entry.seq);
    this.#addNewest(lane, entry, false);
  }

  /** A page of a backlog. What is done since it was asked for is passed over, what is in memory too. */
  #takePage(backlog: Backlog, rows: readonly PendingRow[]): number | null {
    const { adapter } = backlog;
    for (const row of rows) {
      if (backlog.isDone(row.seq)) continue;
      let lane = adapter.lanes.get(row.conversation);
      if (lane === undefined) {
        if (this.#roomFor(backlog) <= 0) return row.seq - 1;
        lane = this.#create(backlog, row.conversation);
        lane.isFromBacklog = true;
        if (adapter.behind > 1) this.#readWhole(lane, row.seq);
      }
      if (row.seq > lane.readUpTo) this.#addNewest(lane, entryOf(row), lane.hasMoreOnDisk);
    }
    return null;
  }

  /** What comes next of a lane: as many as there is room for by now. */
  #takeNext(lane: Lane, rows: readonly PendingRow[]): number {
    let taken = 0;
    for (const row of rows) {
      if (lane.entries.length >= this.#perLane) break;
      this.#hold(lane, lane.entries.length, entryOf(row));
      taken += 1;
    }
    return taken;
  }

  /** Messages of a lane may be in several backlogs: only its own reading has them in their order. */
  #readWhole(lane: Lane, seq: number): void {
    lane.diskUpTo = Math.max(seq, lane.backlog.adapter.leftUpTo);
    this.#reader.readMore(lane);
  }

  #addNewest(lane: Lane, entry: Entry, isBehind: boolean): void {
    if (isBehind || lane.entries.length >= this.#perLane) {
      lane.diskUpTo = Math.max(lane.diskUpTo, entry.seq);
      return;
    }
    lane.readUpTo = entry.seq;
    this.#hold(lane, lane.entries.length, entry);
  }

  #create(backlog: Backlog, conversation: string): Lane {
    const lane = new Lane(backlog, conversation);
    backlog.adapter.lanes.set(conversation, lane);
    backlog.lanes += 1;
    this.#lanes += 1;
    return lane;
  }

  #remove({ backlog, conversation }: Lane): void {
    backlog.adapter.lanes.delete(conversation);
    backlog.lanes -= 1;
    this.#lanes -= 1;
    if (backlog.isBehind) this.#backlogs.readMore(backlog);
  }

  #hold(lane: Lane, index: number, entry: Entry): void {
    this.payloads.admit(entry);
    this.#messages += 1;
    if (index === lane.entries.length) lane.entries.push(entry);
    else lane.entries.splice(index, 0, entry);
    if (lane.state === "empty") this.#options.onHead(lane);
  }

  /** The last entry makes room: it and all after it are on disk. Where older ones came after a head it is not the newest. */
  #putBack(lane: Lane): void {
    const last = lane.entries.pop();
    if (last === undefined) return;
    this.#messages -= 1;
    this.payloads.drop(last);
    lane.diskUpTo = Math.max(lane.diskUpTo, lane.readUpTo);
    lane.readUpTo = last.seq - 1;
    lane.isRewound = true;
    lane.isAnswerStale = true;
  }
}
