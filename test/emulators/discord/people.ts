/** What people do in the guild beside writing, as the events that Discord makes of it. */
import type { EmulatedPeople, HeardReaction } from "../../conformance/emulated-people.ts";
import type { OfferedCommands } from "../../conformance/offered-commands.ts";
import { fieldsOf, listOf, textIn, type Fields } from "./fields.ts";
import type { InteractionDesk } from "./interaction-desk.ts";
import type { World } from "./world.ts";
import type { WorldEvent, WorldMessage } from "./world-types.ts";

const interactionTypes = { command: 2, component: 3 } as const;
const stringOption = 3;

/** The guild's people. Each deed gives the id that its event is known by. */
export class DiscordPeople implements EmulatedPeople {
  readonly #world: World;
  readonly #desk: InteractionDesk;
  readonly #offered: OfferedCommands;
  readonly #events = new Map<string, WorldEvent>();

  constructor(world: World, desk: InteractionDesk, offered: OfferedCommands) {
    this.#world = world;
    this.#desk = desk;
    this.#offered = offered;
  }

  async edit(messageId: string, text: string): Promise<string> {
    const { channel_id: channelId } = this.#message(messageId);
    this.#world.edit(channelId, messageId, { content: text });
    return this.#happened();
  }

  async remove(messageId: string): Promise<string> {
    this.#world.remove(this.#message(messageId).channel_id, messageId);
    return this.#happened();
  }

  async react(messageId: string, { emoji, isTaken }: HeardReaction): Promise<string> {
    const { channel_id: channelId, author } = this.#message(messageId);
    const { ann } = this.#world;
    const guildId = this.#world.channel(channelId).guild_id;
    this.#world.dispatch(`MESSAGE_REACTION_${isTaken ? "REMOVE" : "ADD"}`, {
      user_id: ann.id,
      channel_id: channelId,
      message_id: messageId,
      emoji: { id: null, name: emoji },
      ...(guildId === undefined ? {} : { guild_id: guildId }),
      // Of one that is taken off Discord says less.
      ...(isTaken ? {} : { member: { user: ann, nick: null, roles: [] }, message_author_id: author.id }),
    });
    return this.#happened();
  }

  /** @throws {TypeError} where the message shows no such thing. */
  async press(messageId: string, label: string): Promise<string> {
    const message = this.#message(messageId);
    const data = componentData(message, label);
    if (data === null) throw new TypeError(`Cannot press ${label}: the message ${messageId} shows no such thing`);
    return this.#interact(interactionTypes.component, data, message);
  }

  async command(name: string, options: Readonly<Record<string, string>>): Promise<string> {
    const given = Object.entries(options).map(([option, value]) => ({ type: stringOption, name: option, value }));
    return this.#interact(interactionTypes.command, { name, type: 1, options: given });
  }

  /** Resolves once the bot has given interaction `id` its first answer. */
  async answered(id: string): Promise<void> {
    await this.#desk.changes.first((each) => each.id === id && each.answerType !== 0, `the first answer to ${id}`);
  }

  offered(names: readonly string[]): Promise<void> {
    return this.#offered.are(names);
  }

  /** The event of the deed with this id. */
  eventOf(id: string): WorldEvent | undefined {
    return this.#events.get(id);
  }

  #interact(type: number, data: Fields, message?: WorldMessage): string {
    const channelId = message?.channel_id ?? this.#world.mainChannel;
    const details = { data, channelId, userId: this.#world.ann.id, ...(message === undefined ? {} : { message }) };
    return this.#happened(this.#desk.create(type, details).id);
  }

  /** The last event was this deed's. */
  #happened(id = this.#world.nextId()): string {
    const event = this.#world.events.items.at(-1);
    if (event !== undefined) this.#events.set(id, event);
    return id;
  }

  #message(id: string): WorldMessage {
    for (const channelId of this.#world.channels.keys()) {
      const found = this.#world.messages.get(channelId)?.find((message) => message.id === id);
      if (found !== undefined) return found;
    }
    throw new TypeError(`There is no message ${id}`);
  }
}

/** What Discord says of the button or option called `label`; `null`: the message has none. */
function componentData(message: WorldMessage, label: string): Fields | null {
  for (const component of listOf(message["components"]).flatMap((row) => listOf(row["components"]))) {
    const { type: componentType, custom_id: customId } = component;
    const data = { component_type: componentType, custom_id: customId };
    if (textIn(component, "label") === label && customId !== undefined) return data;
    const option = listOf(component["options"]).find((each) => textIn(fieldsOf(each), "label") === label);
    if (option !== undefined) return { ...data, values: [option["value"]] };
  }
  return null;
}
