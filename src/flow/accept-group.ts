/** Frames as one transaction: each message routed, numbered, and handed out already where its consumer waits for it. */
import type { JournalWrite } from "../contract/journal.ts";
import type { RoutingHeader } from "../contract/message.ts";
import type { Entry } from "./entry.ts";
import type { Reservation } from "./handout.ts";
import type { IntakeFrame } from "./intake.ts";
import type { Route } from "./router.ts";

/** One message of a group, with its place in the group's results. */
export type Accepting = {
  readonly entry: Entry;
  readonly header: RoutingHeader;
  readonly payload: Uint8Array;
  /** `null`: it waits its turn. */
  readonly reservation: Reservation | null;
  readonly writeIndex: number;
};

/** One transaction. */
export type Group = {
  readonly frames: readonly IntakeFrame[];
  readonly writes: readonly JournalWrite[];
  readonly messages: readonly Accepting[];
  /** Accepted and, by their binding, for nobody: they need no row. */
  readonly dropped: readonly { readonly key: string; readonly bytes: number }[];
};

/** What {@link buildGroup} asks. */
export type GroupContext = {
  readonly route: (header: RoutingHeader, key: string) => Route;
  readonly target: { tryReserve(entry: Entry): Reservation | null };
};

/** The transaction of `frames`. Its messages are numbered from `firstSeq`, one each. */
export function buildGroup(frames: readonly IntakeFrame[], firstSeq: number, { route, target }: GroupContext): Group {
  const writes: JournalWrite[] = [];
  const messages: Accepting[] = [];
  const dropped: { readonly key: string; readonly bytes: number }[] = [];
  /** Conversations of which a message waits: what comes after it in this group, for whomever, waits behind it. */
  const waiting = new Set<string>();
  for (const { key, headers, body, receivedAtMs, resume } of frames) {
    let offset = 0;
    const atMs = Math.trunc(receivedAtMs);
    for (const header of headers) {
      const { id, conversation, bytes } = header;
      const payload = body.subarray(offset, offset + bytes);
      offset += bytes;
      const found = route(header, key);
      if (found.kind === "drop") {
        dropped.push({ key, bytes });
        continue;
      }
      const seq = firstSeq + messages.length;
      const consumer = found.consumer;
      const entry: Entry = {
        seq,
        id,
        key,
        conversation,
        bytes,
        atMs: receivedAtMs,
        consumer,
        attempt: 1,
        notBeforeMs: 0,
        isLeasedOnDisk: false,
        isRedelivered: false,
        releases: 0,
        payload,
        header,
      };
      // Handed out the moment it is on disk, it needs no second write for its lease.
      const reservation = waiting.has(conversation) ? null : target.tryReserve(entry);
      if (reservation === null) waiting.add(conversation);
      messages.push({ entry, header, payload, reservation, writeIndex: writes.length });
      const leased = reservation !== null;
      const text = JSON.stringify(header);
      writes.push({ op: "accept", seq, id, key, conversation, consumer, header: text, payload, atMs, leased });
    }
    if (resume !== undefined) writes.push({ op: "put", scope: "resume", key, value: resume });
  }
  return { frames, writes, messages, dropped };
}
