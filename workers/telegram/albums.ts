/** Albums: Telegram sends each picture of one as a message of its own, and a handler wants them together. */
import type { EmittedMessage } from "../../src/contract/message.ts";
import type { HeldItem } from "./resume-state.ts";
import type { Heard } from "./translate-message.ts";

/** One album, as far as it is here. */
export type Album = { readonly id: string; readonly items: EmittedMessage[]; sinceMs: number; isLeaving: boolean };

/** Telegram puts no more into one. */
const largestAlbum = 10;
/** Together with everything else a resume state may have 65,536 characters. */
const heldCharactersLimit = 30_000;

/** Messages that can go now, and the albums among them: to be told when they have arrived, or that they have not. */
export type Departure = { readonly messages: readonly EmittedMessage[]; readonly albums: readonly Album[] };

/** The albums that are not complete yet, oldest first. No timers: its owner asks. */
export class Albums {
  readonly #albums = new Set<Album>();

  constructor(held: readonly HeldItem[], nowMs: number) {
    for (const { albumId, message } of held) this.#add(albumId, message, nowMs);
  }

  /** Whether anything waits. */
  get isEmpty(): boolean {
    return this.#albums.size === 0;
  }

  /** What is to be stored: what waits, and what is leaving and has not arrived, but for `except`. */
  held(except: readonly Album[] = []): readonly HeldItem[] {
    return [...this.#albums].filter((album) => !except.includes(album)).flatMap(itemsOf);
  }

  /** Takes what was heard, in order. An album goes when it is full, and before anything later of its conversation. */
  take(heard: readonly Heard[], nowMs: number): Departure {
    const messages: EmittedMessage[] = [];
    const albums: Album[] = [];
    const leave = (album: Album): void => {
      album.isLeaving = true;
      albums.push(album);
      messages.push(mergeAlbum(album.items));
    };
    let albumCount = 0;
    for (const { message, albumId } of heard) {
      for (const album of this.#waiting())
        if (album.id !== albumId && album.items[0]?.conversation === message.conversation) leave(album);
      if (albumId === null) messages.push(message);
      else {
        albumCount += 1;
        const album = this.#add(albumId, message, nowMs);
        if (album.items.length >= largestAlbum && !album.isLeaving) leave(album);
      }
    }
    if (albumCount > 0) for (const album of this.#excess()) leave(album);
    return { messages, albums };
  }

  /** What has waited since before `beforeMs`. */
  takeOlder(beforeMs: number): Departure {
    const old = this.#waiting().filter((album) => album.sinceMs <= beforeMs);
    for (const album of old) album.isLeaving = true;
    return { messages: old.map(({ items }) => mergeAlbum(items)), albums: old };
  }

  /** They are on disk as messages. */
  arrived(albums: readonly Album[]): void {
    for (const album of albums) this.#albums.delete(album);
  }

  /** They are not: they wait on. */
  stayed(albums: readonly Album[]): void {
    for (const album of albums) album.isLeaving = false;
  }

  #waiting(): readonly Album[] {
    return [...this.#albums].filter(({ isLeaving }) => !isLeaving);
  }

  /** The oldest that wait, so that what is left can be stored. */
  #excess(): readonly Album[] {
    const waiting = this.#waiting();
    let characters = JSON.stringify(waiting.flatMap(itemsOf)).length;
    return waiting.filter((album) => {
      if (characters <= heldCharactersLimit) return false;
      characters -= JSON.stringify(itemsOf(album)).length;
      return true;
    });
  }

  #add(id: string, message: EmittedMessage, nowMs: number): Album {
    const ofId = [...this.#albums].filter((album) => album.id === id);
    // Telegram gives an update again whose answer was lost.
    const same = ofId.find(({ items }) => items.some((item) => item.id === message.id));
    if (same !== undefined) return same;
    // What comes while the rest is on its way goes by itself.
    const open = ofId.find(({ isLeaving }) => !isLeaving);
    const album = open ?? { id, items: [], sinceMs: nowMs, isLeaving: false };
    this.#albums.add(album);
    album.sinceMs = nowMs;
    album.items.push(message);
    return album;
  }
}

function itemsOf({ id, items }: Album): readonly HeldItem[] {
  return items.map((message) => ({ albumId: id, message }));
}

/**
 * One message with the files of all. It is the first part's; its revision names every part, so that the same album put
 * together otherwise, after a death, is another message and no part of it is taken for a duplicate.
 */
export function mergeAlbum(items: readonly EmittedMessage[]): EmittedMessage {
  const [first] = items;
  if (first === undefined) throw new TypeError("Cannot merge an album without parts");
  if (items.length === 1) return first;
  const mentions = items.some((item) => item.routing?.mentionsBot === true);
  return {
    ...first,
    text: items
      .map((item) => item.text)
      .filter((text) => text !== "")
      .join("\n"),
    attachments: items.flatMap((item) => item.attachments ?? []),
    revision: `${first.revision ?? ""}:${items.map((item) => item.id).join(",")}`,
    routing: { ...first.routing, mentionsBot: mentions },
    metadata: {
      ...first.metadata,
      telegram_mentions_or_replies_to_bot: mentions,
      telegram_album_message_ids: items.map((item) => item.id),
    },
  };
}
