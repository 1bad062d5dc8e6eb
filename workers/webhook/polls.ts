/** Polls, held and immediate, over the mailbox. Nothing is removed before its answer has left this process. */
import type { Mailbox, MailboxEntry } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { after as runAfter } from "../../src/support/time.ts";
import { StreamChunks } from "./stream-chunks.ts";
import { toPollMessage, type PollMessage } from "./translate.ts";

/** One poll. `after` `null`: it takes what is there; a cursor: up to there it has everything. */
export type PollRequest = {
  readonly conversation: string;
  readonly after: number | null;
  readonly waitMs: number;
  /** The client went away. */
  readonly signal: AbortSignal;
};

/** A poll's answer. `settle` says whether it left this process. */
export type PollAnswer = {
  readonly messages: readonly PollMessage[];
  readonly cursor: number;
  settle(isSent: boolean): void;
};

/** What goes on in one conversation while somebody polls it. */
type Desk = {
  /** The held read, shared by all that wait behind the same cursor: an abandoned one would linger in the gateway. */
  read: { readonly after: number; readonly entries: Promise<readonly MailboxEntry[]> } | null;
  readonly wakes: Set<() => void>;
  /** Answered to polls without a cursor, not yet removed. */
  takenUpTo: number;
  users: number;
};

const longestReadMs = 60_000;
/** The mailbox's own: with as many there may be more. */
const fullBatch = 100;

/** All polls of one adapter. */
export class Polls {
  readonly #mailbox: Mailbox;
  readonly #maxHeld: number;
  readonly #desks = new Map<string, Desk>();
  readonly #chunks = new StreamChunks();
  #held = 0;
  #isStopping = false;

  constructor(mailbox: Mailbox, options: { readonly maxHeld: number }) {
    this.#mailbox = mailbox;
    this.#maxHeld = options.maxHeld;
  }

  /**
   * Answers when there is something, when its wait is over, when the client is gone, or when the adapter stops.
   * @throws {GatewayError} `queue_full` with too many held polls; what the mailbox rejects with.
   */
  async poll(request: PollRequest): Promise<PollAnswer> {
    const { conversation, after } = request;
    if (after !== null && after > 0) this.#mailbox.ack({ conversation, upTo: after });
    const desk = this.#enter(conversation);
    try {
      const entries = request.waitMs === 0 ? await this.#look(request, desk) : await this.#hold(request, desk);
      const cursor = entries.at(-1)?.cursor ?? after ?? desk.takenUpTo;
      const chunk = this.#chunkAfter(request, entries);
      const messages = entries.map(toPollMessage).filter((message) => message !== null);
      if (chunk !== null) messages.push({ cursor, type: "stream_chunk", content: chunk });
      const takenUpTo = after === null && entries.length > 0 ? cursor : null;
      return { messages, cursor, settle: (isSent) => this.#leave(conversation, desk, takenUpTo, isSent) };
    } catch (reason) {
      this.#leave(conversation, desk, null, false);
      throw reason;
    }
  }

  /** A stream's text so far, for whoever polls now. */
  putChunk(conversation: string, text: string): void {
    this.#chunks.put(conversation, text);
    for (const wake of this.#desks.get(conversation)?.wakes ?? []) wake();
  }

  /** Answers every held poll with what is there, and holds no more. */
  stop(): void {
    this.#isStopping = true;
    for (const desk of this.#desks.values()) for (const wake of desk.wakes) wake();
  }

  async #look(request: PollRequest, desk: Desk): Promise<readonly MailboxEntry[]> {
    const { conversation } = request;
    const after = request.after ?? desk.takenUpTo;
    return claim(request, desk, await this.#mailbox.read({ conversation, after, waitMs: 0, remove: false }));
  }

  async #hold(request: PollRequest, desk: Desk): Promise<readonly MailboxEntry[]> {
    const { conversation, signal } = request;
    // Reads outlive the polls that began them, so both are counted.
    if (this.#held >= this.#maxHeld || this.#desks.size > 2 * this.#maxHeld)
      throw new GatewayError("queue_full", `Cannot hold the poll: ${this.#maxHeld} are held already`);
    const wait = { isOver: false };
    const woken = Promise.withResolvers<null>();
    const wake = (): void => {
      wait.isOver = true;
      woken.resolve(null);
    };
    using _timer = runAfter(request.waitMs, wake);
    signal.addEventListener("abort", wake, { once: true });
    desk.wakes.add(wake);
    this.#held += 1;
    if (this.#isStopping || this.#chunks.isFresh(conversation)) wake();
    try {
      while (!wait.isOver) {
        const after = request.after ?? desk.takenUpTo;
        const found = await Promise.race([this.#sharedRead(conversation, after, desk), woken.promise]);
        const entries = found === null ? [] : claim(request, desk, found);
        if (entries.length > 0) return entries;
      }
      return signal.aborted ? [] : await this.#look(request, desk);
    } finally {
      this.#held -= 1;
      desk.wakes.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }

  #sharedRead(conversation: string, after: number, desk: Desk): Promise<readonly MailboxEntry[]> {
    if (desk.read?.after === after) return desk.read.entries;
    const entries = this.#mailbox.read({ conversation, after, waitMs: longestReadMs, remove: false });
    const read = { after, entries };
    desk.read = read;
    const forget = (): void => {
      if (desk.read !== read) return;
      desk.read = null;
      this.#dropIfUnused(conversation, desk);
    };
    entries.then(forget, forget);
    return entries;
  }

  #chunkAfter(request: PollRequest, entries: readonly MailboxEntry[]): string | null {
    const { conversation } = request;
    const marker = entries.findLast(
      ({ response }) => response.kind === "stream_start" || response.kind === "stream_end",
    );
    if (marker?.response.kind === "stream_end") this.#chunks.clear(conversation);
    const isWanted = request.waitMs === 0 || this.#chunks.isFresh(conversation);
    return isWanted && entries.length < fullBatch ? this.#chunks.take(conversation) : null;
  }

  #enter(conversation: string): Desk {
    let desk = this.#desks.get(conversation);
    if (desk === undefined) {
      desk = { read: null, wakes: new Set(), takenUpTo: 0, users: 0 };
      this.#desks.set(conversation, desk);
    }
    desk.users += 1;
    return desk;
  }

  #leave(conversation: string, desk: Desk, takenUpTo: number | null, isSent: boolean): void {
    desk.users -= 1;
    if (takenUpTo !== null && isSent) this.#mailbox.ack({ conversation, upTo: takenUpTo });
    // What did not get through is there for the next poll.
    else if (takenUpTo !== null) desk.takenUpTo = 0;
    this.#dropIfUnused(conversation, desk);
  }

  #dropIfUnused(conversation: string, desk: Desk): void {
    if (desk.users === 0 && desk.read === null) this.#desks.delete(conversation);
  }
}

/**
 * What of `found` is this poll's: two without a cursor may have waited for the same read, and the second one must not
 * have what the first one took. Nothing may be awaited between the look at `takenUpTo` and its change.
 */
function claim(request: PollRequest, desk: Desk, found: readonly MailboxEntry[]): readonly MailboxEntry[] {
  if (request.after !== null || found.length === 0) return found;
  const entries = found.filter((entry) => entry.cursor > desk.takenUpTo);
  desk.takenUpTo = entries.at(-1)?.cursor ?? desk.takenUpTo;
  return entries;
}
