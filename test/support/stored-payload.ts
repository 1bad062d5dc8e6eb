/** A stored message as the journal hands it out. */
import type { StoredMessage } from "../../src/contract/message.ts";

/** JSON bytes of a text message in `web/room`, but for `changes`. */
export function storedPayload(changes: Partial<StoredMessage> = {}): Uint8Array {
  const stored: StoredMessage = {
    id: "m1",
    adapter: "web",
    platform: "web",
    conversation: "room",
    lane: "web/room",
    sender: { id: "u1", name: "Ann", isBot: false },
    kind: "text",
    text: "hi",
    attachments: [],
    metadata: { message_id: "p1" },
    timestamp: "2026-01-01T00:00:00.000Z",
    ...changes,
  };
  return Buffer.from(JSON.stringify(stored));
}
