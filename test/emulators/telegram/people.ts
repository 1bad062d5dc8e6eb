/** What people do in a chat beside writing, as the updates that Telegram makes of it. Of deletions it tells nobody. */
import type { EmulatedPeople, HeardReaction } from "../../conformance/emulated-people.ts";
import { annUser, type BotWorld, botUser, type WorldMessage } from "./bot-world.ts";

/** How updates are sent. Each gives the id that its update is known by. */
export type Updates = {
  readonly send: (kind: string, content: unknown) => string;
  /** A message of {@link annUser}'s with these fields. */
  readonly say: (fields: Readonly<Record<string, unknown>>) => string;
};

type Button = { readonly text: string; readonly callback_data?: string };
type Keyboard = { readonly inline_keyboard?: readonly (readonly Button[])[] };

/** The people of the world's chats: Ann. */
export class TelegramPeople implements EmulatedPeople {
  readonly #world: BotWorld;
  readonly #updates: Updates;
  /** Ann's, by message. */
  readonly #reactions = new Map<string, readonly { readonly type: "emoji"; readonly emoji: string }[]>();

  constructor(world: BotWorld, updates: Updates) {
    this.#world = world;
    this.#updates = updates;
  }

  async edit(messageId: string, text: string): Promise<string> {
    const message = this.#message(messageId);
    message.text = text;
    return this.#updates.send("edited_message", { ...described(message), edit_date: nowSeconds() });
  }

  async react(messageId: string, { emoji, isTaken }: HeardReaction): Promise<string> {
    const { chat } = this.#message(messageId);
    const before = this.#reactions.get(messageId) ?? [];
    const after = isTaken ? [] : [{ type: "emoji", emoji } as const];
    this.#reactions.set(messageId, after);
    return this.#updates.send("message_reaction", {
      chat,
      message_id: Number(messageId),
      user: annUser,
      date: nowSeconds(),
      old_reaction: before,
      new_reaction: after,
    });
  }

  async press(messageId: string, label: string): Promise<string> {
    const message = this.#message(messageId);
    const keyboard = message.keyboard as Keyboard | null | undefined;
    const button = keyboard?.inline_keyboard?.flat().find(({ text }) => text === label);
    if (button === undefined)
      throw new TypeError(`Cannot press ${label}: the message ${messageId} shows no such thing`);
    const id = `query-${this.#world.queue.nextId()}`;
    this.#world.queries.add(id);
    const pressed = { ...described(message), reply_markup: keyboard };
    const data = button.callback_data;
    this.#updates.send("callback_query", { id, from: annUser, chat_instance: "1", message: pressed, data });
    return id;
  }

  async command(name: string, options: Readonly<Record<string, string>>): Promise<string> {
    const text = [`/${name}`, ...Object.values(options)].join(" ");
    return this.#updates.say({ text, entities: [{ type: "bot_command", offset: 0, length: name.length + 1 }] });
  }

  /** A pressed button turns until its query is answered. For a command nobody waits: it is a message. */
  async answered(id: string): Promise<void> {
    if (this.#world.queries.has(id))
      await this.#world.answeredQueries.first((other) => other === id, `the answer to ${id}`);
  }

  offered(names: readonly string[]): Promise<void> {
    return this.#world.offered.are(names);
  }

  #message(id: string): WorldMessage {
    for (const chat of this.#world.chats.values()) {
      const message = this.#world.find(chat, Number(id));
      if (message !== null) return message;
    }
    throw new TypeError(`There is no message ${id}`);
  }
}

function described({ chat, messageId, topicId, isBots, text }: WorldMessage): Readonly<Record<string, unknown>> {
  return {
    message_id: messageId,
    from: isBots ? botUser : annUser,
    chat,
    date: nowSeconds(),
    text,
    ...(topicId === null ? {} : { message_thread_id: topicId, is_topic_message: true }),
  };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
