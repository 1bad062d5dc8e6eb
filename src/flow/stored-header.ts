/** Routing headers as the journal keeps them. */
import type { RoutingHeader } from "../contract/message.ts";

/** A stored header, written by this gateway; `null` when it is not there or cannot be read. */
export function parseStoredHeader(text: string | undefined): RoutingHeader | null {
  if (text === undefined) return null;
  try {
    // Ours: checked when it was accepted.
    return JSON.parse(text) as RoutingHeader;
  } catch {
    // A header of no use leaves its message where it is.
    return null;
  }
}
