/**
 * The newest mail of each conversation in memory, so that a poll asks the journal only for what is older than this cache.
 * A conversation is known from a cursor on: everything after it that is on disk is also here.
 */
import type { JournalOpened } from "../contract/journal.ts";
import { steadyNow } from "../support/time.ts";

/** One waiting reply that is on disk. */
export type Mail = {
  readonly key: string;
  readonly conversation: string;
  readonly cursor: number;
  /** A Response as JSON. */
  readonly response: Uint8Array;
  readonly atMs: number;
};

type Box = {
  /** In order of cursor. */
  entries: Mail[];
  /** Everything on disk after this cursor is in `entries`. */
  knownAfter: number;
  /** Up to here it was fetched. */
  takenUpTo: number;
};

/** Limits of the cache and of a conversation. */
export type MailCacheLimits = { readonly bytes: number; readonly boxes: number; readonly mailPerBox: number };

const defaultLimits: MailCacheLimits = { bytes: 67_108_864, boxes: 100_000, mailPerBox: 1000 };
const longestAgeMs = 86_400_000;

/** A bounded cache; forgetting only costs a question to the journal. */
export class MailCache {
  readonly #boxes = new Map<string, Box>();
  readonly #limits: MailCacheLimits;
  /** What is not in a box is known from here on: nothing newer was ever forgotten. */
  #floor: number;
  #bytes = 0;

  /** What the journal had when it opened is known only where it had nothing. */
  constructor(opened: Pick<JournalOpened, "nextCursor" | "oldestCursor">, limits: MailCacheLimits = defaultLimits) {
    this.#floor = opened.oldestCursor === null ? 0 : opened.nextCursor - 1;
    this.#limits = limits;
  }

  /** Mail that has just reached the disk. */
  add(mail: Mail): void {
    const name = nameOf(mail);
    const box = this.#boxes.get(name) ?? this.#newBox();
    // The least recently written conversation is the first to be forgotten.
    this.#boxes.delete(name);
    this.#boxes.set(name, box);
    this.#insert(box, ownCopy(mail));
    if (box.entries.length > this.#limits.mailPerBox) this.#dropOldest(box);
    this.#shrink();
  }

  /** Mail after `after`, oldest first, or `null` when only the journal can tell. */
  read(place: { readonly key: string; readonly conversation: string; readonly after: number }): readonly Mail[] | null {
    const box = this.#boxes.get(nameOf(place));
    if (box === undefined) return place.after >= this.#floor ? [] : null;
    const after = Math.max(place.after, box.takenUpTo);
    if (after < box.knownAfter) return null;
    const oldestMs = steadyNow() - longestAgeMs;
    const isFresh = (mail: Mail): boolean => mail.cursor > after && mail.atMs >= oldestMs;
    return box.entries.length === 0 ? box.entries : box.entries.filter(isFresh);
  }

  /** All mail that is on disk after `after`, as the journal has just told. */
  learn(
    place: { readonly key: string; readonly conversation: string; readonly after: number },
    found: readonly Mail[],
  ): void {
    const name = nameOf(place);
    let box = this.#boxes.get(name);
    if (box === undefined) {
      box = this.#newBox();
      this.#boxes.set(name, box);
    }
    for (const mail of found) if (!box.entries.some(({ cursor }) => cursor === mail.cursor)) this.#insert(box, mail);
    box.knownAfter = Math.min(box.knownAfter, place.after);
    this.#shrink();
  }

  /** Up to and including `upTo`, this conversation's mail was fetched. */
  take(place: { readonly key: string; readonly conversation: string; readonly upTo: number }): void {
    const name = nameOf(place);
    let box = this.#boxes.get(name);
    if (box === undefined) {
      box = this.#newBox();
      this.#boxes.set(name, box);
      this.#shrink();
    }
    box.takenUpTo = Math.max(box.takenUpTo, place.upTo);
    while (box.entries[0] !== undefined && box.entries[0].cursor <= place.upTo) this.#shift(box);
  }

  #newBox(): Box {
    return { entries: [], knownAfter: this.#floor, takenUpTo: 0 };
  }

  #insert(box: Box, mail: Mail): void {
    if (mail.cursor <= box.takenUpTo) return;
    this.#bytes += mail.response.length;
    const last = box.entries.at(-1);
    box.entries.push(mail);
    if (last !== undefined && last.cursor > mail.cursor) box.entries.sort((left, right) => left.cursor - right.cursor);
  }

  #shift(box: Box): Mail | undefined {
    const mail = box.entries.shift();
    this.#bytes -= mail?.response.length ?? 0;
    return mail;
  }

  #dropOldest(box: Box): void {
    box.knownAfter = Math.max(box.knownAfter, this.#shift(box)?.cursor ?? 0);
  }

  #shrink(): void {
    while (this.#bytes > this.#limits.bytes || this.#boxes.size > this.#limits.boxes) {
      const [oldest] = this.#boxes;
      if (oldest === undefined) return;
      const [name, box] = oldest;
      while (box.entries.length > 0 && this.#bytes > this.#limits.bytes) this.#dropOldest(box);
      // Its last mail may be its only one: what is forgotten raises the floor for every conversation without a box.
      if (box.entries.length === 0 || this.#boxes.size > this.#limits.boxes) {
        this.#floor = Math.max(this.#floor, box.knownAfter, box.entries.at(-1)?.cursor ?? 0);
        while (box.entries.length > 0) this.#shift(box);
        this.#boxes.delete(name);
      }
    }
  }
}

/** A small response may be a view on a frame of hundreds of messages: keeping the view would keep them all. */
function ownCopy(mail: Mail): Mail {
  const { response } = mail;
  return response.buffer.byteLength > 2 * response.length + 8192 ? { ...mail, response: response.slice() } : mail;
}

function nameOf(place: { readonly key: string; readonly conversation: string }): string {
  // No runtime key has a slash in it.
  return `${place.key}/${place.conversation}`;
}
