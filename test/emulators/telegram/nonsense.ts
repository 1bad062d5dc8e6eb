/** Updates that no honest server sends. */

const longText = "x".repeat(2_000_000);

/** Each is one update, or what stands in its place. */
export function nonsenseUpdates(nextId: () => number): readonly unknown[] {
  const update = (fields: Readonly<Record<string, unknown>>): unknown => ({ update_id: nextId(), ...fields });
  const chat = { id: 1001, type: "private", first_name: "Ann" };
  const from = { id: 1001, is_bot: false, first_name: "Ann" };
  const message = (fields: Readonly<Record<string, unknown>>): unknown =>
    update({ message: { message_id: 1, date: 1_700_000_000, chat, from, text: "nonsense", ...fields } });
  return [
    null,
    17,
    "update",
    [],
    {},
    { update_id: "12" },
    { update_id: 1.5 },
    update({}),
    update({ message: null }),
    update({ message: 7 }),
    update({ message: {} }),
    update({ future_kind_of_update: { a: 1 } }),
    update({ __proto__: null, constructor: 1 }),
    message({ chat: null }),
    message({ chat: { id: "1001", type: "private" } }),
    message({ from: null }),
    message({ from: { id: {}, is_bot: "no" } }),
    message({ date: "yesterday" }),
    message({ date: 1e300 }),
    message({ message_id: null }),
    message({ text: { deep: true } }),
    message({ text: null, photo: [] }),
    message({ photo: "picture", text: null }),
    message({ text: null, document: {} }),
    message({ entities: "bold" }),
    message({ entities: [null] }),
    message({ entities: [{ type: "mention", offset: -5, length: 1e9 }] }),
    message({ reply_to_message: 5 }),
    message({ sender_chat: [] }),
    message({ media_group_id: {} }),
    message({ text: longText, message_id: 2 }),
    update({ callback_query: { id: 5 } }),
    update({ callback_query: { id: "5", from, message: { chat: null } } }),
    update({ message_reaction: { chat, message_id: 1, old_reaction: null, new_reaction: [null] } }),
    update({ my_chat_member: { chat } }),
    update({ edited_message: { edit_date: "x", chat, from, message_id: 3, text: "nonsense" } }),
  ];
}
