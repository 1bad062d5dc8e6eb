/** Payloads of what waits, in memory up to a limit: beyond it they are read from the journal when they are handed out. */
import type { RoutingHeader } from "../contract/message.ts";
import { detachPayload, type Entry } from "./entry.ts";

/** Most payload bytes of waiting messages in memory: 64 MiB. */
export const payloadMemoryLimit = 67_108_864;

/** Counts what all entries hold. */
export class PayloadMemory {
  #bytes = 0;

  /** Of all entries that are in lanes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An entry comes into a lane: its payload stays if there is room. */
  admit(entry: Entry): void {
    if (entry.payload === null) return;
    if (this.#bytes + entry.payload.length > payloadMemoryLimit) {
      entry.payload = entry.header = null;
      return;
    }
    entry.payload = detachPayload(entry.payload);
    this.#bytes += entry.payload.length;
  }

  /** An entry that is handed out as it comes in: its payload stays. */
  keep(entry: Entry): void {
    this.#bytes += entry.payload?.length ?? 0;
  }

  /** Gives an entry its payload and header, read from the journal. */
  attach(entry: Entry, payload: Uint8Array, header: RoutingHeader | null): void {
    this.drop(entry);
    entry.payload = payload;
    entry.header = header;
    this.#bytes += payload.length;
  }

  /** Forgets an entry's payload; it can be read again. */
  drop(entry: Entry): void {
    this.#bytes -= entry.payload?.length ?? 0;
    entry.payload = null;
    entry.header = null;
  }
}
