/** Names and kinds of channels and guilds, from what the gateway tells at its start; a channel that it did not tell of is asked for once. */
import { ChannelType } from "discord.js";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { childrenOf, idOf, numberOf, textOf, type Payload } from "./payload.ts";
import { steadyNow } from "../../src/support/time.ts";

/** What is known of a channel. */
export type Channel = {
  readonly id: string;
  readonly guildId: string | null;
  /** A thread's channel; `null` for what is no thread. */
  readonly parentId: string | null;
  readonly name: string | null;
  readonly isThread: boolean;
  /** Who is at the other end of a direct channel; `null`: it is none. */
  readonly recipientId: string | null;
  /** The newest message when it was told of. */
  readonly lastMessageId: string | null;
};

/** Asks Discord itself; `null` where it does not say. */
export type DirectorySource = {
  readonly channel: (id: string) => Promise<Payload | null>;
  readonly guild: (id: string) => Promise<Payload | null>;
};

const mostChannels = 20_000;
const mostGuilds = 2_500;
const askAgainMs = 60_000;
const directType: number = ChannelType.DM;
const threadTypes: ReadonlySet<number> = new Set([
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
]);

/** One bot's view. */
export class Directory {
  readonly #source: DirectorySource;
  readonly #channels = new BoundedMap<Channel>(mostChannels);
  readonly #guildNames = new BoundedMap<string | null>(mostGuilds);
  readonly #directChannels = new BoundedMap<string>(mostChannels);
  /** Until when a channel is not asked for again, milliseconds since 1970. */
  readonly #refusedUntilMs = new BoundedMap<number>(mostChannels);
  /** Asked for and not answered yet. */
  readonly #asked = new Map<string, Promise<Channel>>();

  constructor(source: DirectorySource) {
    this.#source = source;
  }

  /** Learns from an event; what has nothing to teach is passed over. */
  observe(type: string, data: Payload): void {
    switch (type) {
      case "GUILD_CREATE":
        this.#observeGuild(data);
        break;
      case "GUILD_UPDATE":
        this.#nameGuild(data);
        break;
      case "CHANNEL_CREATE":
      case "CHANNEL_UPDATE":
      case "THREAD_CREATE":
      case "THREAD_UPDATE":
        this.#add(data, null);
        break;
      case "THREAD_LIST_SYNC":
        for (const thread of childrenOf(data, "threads")) this.#add(thread, idOf(data, "guild_id"));
        break;
    }
  }

  /** Direct messages name their writer and not their channel's kind. */
  observeDirect(channelId: string, userId: string): void {
    this.#directChannels.set(userId, channelId);
    this.#channels.set(channelId, { ...unknownChannel(channelId, null), recipientId: userId });
  }

  /** The direct channel with a user, if it was seen. */
  directChannel(userId: string): string | null {
    return this.#directChannels.get(userId) ?? null;
  }

  /** All channels that are known. */
  *channels(): Generator<Channel> {
    for (const [, channel] of this.#channels.entries()) yield channel;
  }

  /** What is known of a channel, after having asked once for one that is not. Never rejects. */
  async resolve(id: string, guildId: string | null): Promise<Channel> {
    const known = this.#channels.get(id);
    if (known !== undefined) return known;
    if ((this.#refusedUntilMs.get(id) ?? 0) > steadyNow()) return unknownChannel(id, guildId);
    const asked = this.#asked.get(id) ?? this.#ask(id, guildId);
    this.#asked.set(id, asked);
    try {
      return await asked;
    } finally {
      this.#asked.delete(id);
    }
  }

  /** A guild's name, asked for once; `null` where Discord does not say. Never rejects. */
  async guildName(id: string): Promise<string | null> {
    const known = this.#guildNames.get(id);
    if (known !== undefined) return known;
    const guild = await this.#source.guild(id);
    const name = guild === null ? null : textOf(guild, "name") || null;
    this.#guildNames.set(id, name);
    return name;
  }

  async #ask(id: string, guildId: string | null): Promise<Channel> {
    const answer = await this.#source.channel(id);
    const channel = answer === null ? null : this.#add(answer, guildId);
    if (channel !== null) return channel;
    // A channel that may not be looked at must not be asked for at every message.
    this.#refusedUntilMs.set(id, steadyNow() + askAgainMs);
    return unknownChannel(id, guildId);
  }

  #observeGuild(guild: Payload): void {
    this.#nameGuild(guild);
    const guildId = idOf(guild, "id");
    for (const channel of childrenOf(guild, "channels")) this.#add(channel, guildId);
    for (const thread of childrenOf(guild, "threads")) this.#add(thread, guildId);
  }

  #nameGuild(guild: Payload): void {
    const id = idOf(guild, "id");
    const name = textOf(guild, "name");
    if (id !== null && name !== "") this.#guildNames.set(id, name);
  }

  #add(data: Payload, guildId: string | null): Channel | null {
    const channel = readChannel(data, guildId);
    if (channel === null) return null;
    this.#channels.set(channel.id, channel);
    if (channel.recipientId !== null) this.#directChannels.set(channel.recipientId, channel.id);
    return channel;
  }
}

/** A channel as Discord describes it; `null` for what is none. Pure. */
export function readChannel(data: Payload, guildId: string | null): Channel | null {
  const id = idOf(data, "id");
  if (id === null) return null;
  const type = numberOf(data, "type") ?? -1;
  const isThread = threadTypes.has(type);
  const [recipient] = type === directType ? childrenOf(data, "recipients") : [];
  return {
    id,
    guildId: idOf(data, "guild_id") ?? guildId,
    // The parent of what is no thread is a category, which no filter names.
    parentId: isThread ? idOf(data, "parent_id") : null,
    name: textOf(data, "name") || null,
    isThread,
    recipientId: recipient === undefined ? null : idOf(recipient, "id"),
    lastMessageId: idOf(data, "last_message_id"),
  };
}

function unknownChannel(id: string, guildId: string | null): Channel {
  return { id, guildId, parentId: null, name: null, isThread: false, recipientId: null, lastMessageId: null };
}
