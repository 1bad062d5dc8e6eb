/** The names of all response kinds, apart from their schemas so that an adapter's thread need not load a validator. */

/** Every kind a consumer can answer with; the rows of the capability matrix. */
export const responseKinds = [
  "text",
  "thread_reply",
  "file",
  "reaction",
  "remove_reaction",
  "ephemeral",
  "rich_message",
  "scheduled_message",
  "stream_start",
  "stream_chunk",
  "stream_end",
] as const;
