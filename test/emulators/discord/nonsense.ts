/** Frames that no honest gateway sends. */
import type { World } from "./world.ts";

/** Each goes to every live session; after some of them a real one would be over. */
export function nonsense({ mainChannel, guildId, ann }: World): readonly (string | Uint8Array)[] {
  const dispatch = (t: unknown, d: unknown, s: unknown = null): string => JSON.stringify({ op: 0, t, s, d });
  const message = (fields: Readonly<Record<string, unknown>>): string =>
    dispatch("MESSAGE_CREATE", {
      id: "1",
      channel_id: mainChannel,
      guild_id: guildId,
      author: ann,
      content: "nonsense",
      type: 0,
      timestamp: "2024-01-01T00:00:00Z",
      ...fields,
    });
  return [
    "",
    "{",
    "null",
    "[]",
    "17",
    '"text"',
    Buffer.from([0xff, 0x00, 0x80]),
    JSON.stringify({ op: 99, d: {} }),
    JSON.stringify({ op: "0", t: 5 }),
    dispatch("MESSAGE_CREATE", null),
    dispatch("GUILD_CREATE", null),
    dispatch("INTERACTION_CREATE", null),
    dispatch("MESSAGE_CREATE", {}),
    dispatch("MESSAGE_CREATE", []),
    dispatch("NEVER_HEARD_OF", { id: 1 }),
    dispatch(null, {}),
    message({ author: null }),
    message({ author: { id: 5 } }),
    message({ channel_id: null }),
    message({ content: { text: "no" } }),
    message({ id: "x".repeat(2_000) }),
    message({ attachments: "many", mentions: [null, 1], member: 7 }),
    message({ id: "2", content: "", timestamp: "never", author: { ...ann, bot: true } }),
    dispatch("MESSAGE_UPDATE", { id: "1", channel_id: mainChannel }),
    dispatch("MESSAGE_DELETE", { id: null }),
    dispatch("MESSAGE_DELETE_BULK", { ids: 5, channel_id: mainChannel }),
    dispatch("MESSAGE_REACTION_ADD", {
      user_id: ann.id,
      channel_id: mainChannel,
      guild_id: guildId,
      message_id: "1",
      emoji: null,
    }),
    dispatch("INTERACTION_CREATE", { id: "1", application_id: "1", token: "", type: 2 }),
    dispatch("INTERACTION_CREATE", { id: "1", application_id: "1", token: "t", type: 77 }),
    dispatch("GUILD_CREATE", { id: guildId, channels: [null, 5, { id: {} }], threads: "no" }),
    JSON.stringify({ op: 0, t: "MESSAGE_CREATE", s: "no number", d: {} }),
    message({ id: "3", content: "x".repeat(1_000_000), author: { ...ann, bot: true } }),
    // The library's own handling of these throws.
    JSON.stringify({ op: 9, d: null }),
  ];
}
