/** Updates as Telegram sends them, with everything that a test does not care about. */
import type { Message, Update } from "grammy/types";
import type { Heard } from "../../../workers/telegram/translate-message.ts";
import { TopicMemory } from "../../../workers/telegram/topic-memory.ts";
import { translateUpdate, type Translated } from "../../../workers/telegram/translate-update.ts";

export const bot = { id: 77, username: "Bulk_Bot" };
export const ann = { id: 5, is_bot: false, first_name: "Ann", last_name: "Lee", username: "ann" };
export const group = { id: -100_5, type: "supergroup", title: "Group" };
export const direct = { id: 5, type: "private", first_name: "Ann" };

/** A message's fields. */
export function message(fields: Readonly<Record<string, unknown>> = {}): Message {
  return { message_id: 9, date: 1_700_000_000, chat: group, from: ann, text: "hello", ...fields } as unknown as Message;
}

/** One update. */
export function update(kind: string, content: unknown, updateId = 40): Update {
  return { update_id: updateId, [kind]: content };
}

/** What becomes of it. */
export function translated(
  given: Update,
  options: { readonly commands?: ReadonlyMap<string, string>; readonly topics?: TopicMemory } = {},
): Translated {
  return translateUpdate(given, {
    bot,
    commands: options.commands ?? new Map(),
    topics: options.topics ?? new TopicMemory(),
  });
}

/** What is heard of it. @throws {Error} when it is nothing. */
export function heard(given: Update, options: Parameters<typeof translated>[1] = {}): Heard {
  const result = translated(given, options);
  if (result.kind !== "heard" || result.items[0] === undefined) throw new Error(`nothing heard: ${result.kind}`);
  return result.items[0];
}
