/** What the gateway tells: sorted into what is learned, what is answered at once, and what becomes a message. */
import type { AdapterLog, Policy } from "../../src/contract/adapter.ts";
import { admits } from "../../src/support/admission.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import type { Channel, Directory } from "./directory.ts";
import type { Inbox, InboxEvent, Translated } from "./inbox.ts";
import type { Interactions } from "./interactions.ts";
import { MinuteLog } from "../../src/support/minute-log.ts";
import { childOf, idOf, numberOf, payloadOf, textOf, textsOf, type Payload } from "./payload.ts";
import type { Mark, ResumeKeeper } from "./resume-keeper.ts";
import { translateDelete, translateReaction, unknownSender, type KnownSender } from "./translate-event.ts";
import { channelOf, readHead, translateInteraction } from "./translate-interaction.ts";
import { translateMessage, type Candidate, type Surroundings } from "./translate-message.ts";

/** What events are sorted with. */
export type EventsParts = {
  readonly log: AdapterLog;
  readonly directory: Directory;
  readonly interactions: Interactions;
  readonly keeper: ResumeKeeper;
  readonly policy: () => Policy;
};

const heard: ReadonlySet<string> = new Set([
  "MESSAGE_CREATE",
  "MESSAGE_UPDATE",
  "MESSAGE_DELETE",
  "MESSAGE_DELETE_BULK",
  "MESSAGE_REACTION_ADD",
  "MESSAGE_REACTION_REMOVE",
  "INTERACTION_CREATE",
]);
/** What our intents bring beside that. Anything else is new to us, and logged. */
const silent =
  /^(?:READY|RESUMED|GUILD_|CHANNEL_|THREAD_|INTEGRATION_|STAGE_|APPLICATION_|MESSAGE_(?:REACTION_REMOVE_|POLL_)|USER_UPDATE|TYPING_|PRESENCE_|VOICE_|INVITE_|WEBHOOKS_|AUTO_MODERATION_|ENTITLEMENT_|SUBSCRIPTION_)/u;
const mostSenders = 5_000;

/** One generation's events. */
export class Events {
  readonly #parts: EventsParts;
  readonly #ignored: MinuteLog;
  /** Who wrote what, for when it is deleted. */
  readonly #senders = new BoundedMap<KnownSender>(mostSenders);

  constructor(parts: EventsParts) {
    this.#parts = parts;
    this.#ignored = new MinuteLog(({ kind, count }) => parts.log.warn("discord-event-ignored", { kind, count }));
  }

  /** Takes one dispatch. Never throws. */
  receive(dispatch: Payload, inbox: Inbox): void {
    const type = textOf(dispatch, "t");
    const data = payloadOf(dispatch["d"]);
    const mark = this.#parts.keeper.markNow(numberOf(dispatch, "s"));
    if (data !== null) this.#parts.directory.observe(type, data);
    if (data === null || !heard.has(type)) {
      if (data === null ? type !== "RESUMED" : !silent.test(type)) this.ignore(type || "nameless");
      inbox.pass(mark);
      return;
    }
    if (type === "INTERACTION_CREATE" && !this.#receiveInteraction(data)) inbox.pass(mark);
    else inbox.push({ type, data, occurrence: occurrenceOf(mark) }, mark);
  }

  /** One more of what makes no sense. */
  ignore(kind: string): void {
    this.#ignored.note(kind);
  }

  /** What an event becomes; nothing for what the policy does not let through. */
  async translate({ type, data, occurrence = "" }: InboxEvent): Promise<readonly Translated[]> {
    const event = payloadOf(data);
    if (event === null || this.#isForeign(event)) return [];
    if (type === "INTERACTION_CREATE") return this.#interaction(event);
    if (type === "MESSAGE_DELETE" || type === "MESSAGE_DELETE_BULK") return this.#deleted(event);
    if (type === "MESSAGE_CREATE" || type === "MESSAGE_UPDATE") {
      const author = childOf(event, "author");
      const channel = await this.#channelOf(event, idOf(author ?? {}, "id"));
      if (channel === null) return this.#senseless(type);
      return this.message(event, channel, type === "MESSAGE_UPDATE");
    }
    const channel = await this.#channelOf(event, idOf(event, "user_id"));
    const around = channel === null ? null : await this.#around(channel);
    const isAdded = type === "MESSAGE_REACTION_ADD";
    const candidate = around === null ? null : translateReaction(event, around, { isAdded, occurrence });
    return candidate === null ? this.#senseless(type) : this.#admitted(candidate);
  }

  /** A message from the gateway or from a channel's history. */
  async message(data: Payload, channel: Channel, isEdit = false): Promise<readonly Translated[]> {
    if (idOf(data, "id") === null || childOf(data, "author") === null) {
      // An update without an author is one of Discord's own making.
      return isEdit ? [] : this.#senseless("MESSAGE_CREATE");
    }
    const candidate = translateMessage(data, await this.#around(channel), isEdit);
    if (candidate === null) return [];
    const { id, sender } = candidate.message;
    this.#senders.set(id, { id: sender.id, name: sender.name ?? sender.id, isBot: sender.isBot ?? false });
    if (isEdit) return this.#admitted(candidate);
    return this.#admitted(candidate, () => this.#parts.keeper.sawMessage(channel.id, id));
  }

  /** `false`: it needs nothing more. */
  #receiveInteraction(data: Payload): boolean {
    const head = readHead(data);
    if (head === null) {
      this.ignore("INTERACTION_CREATE");
      return false;
    }
    const { interactions, policy } = this.#parts;
    const { commands } = policy();
    if (head.kind === "autocomplete") interactions.suggest(head, data, commands);
    else interactions.receive(head, commands);
    return head.kind !== "autocomplete";
  }

  async #interaction(data: Payload): Promise<readonly Translated[]> {
    const { interactions, directory } = this.#parts;
    const head = readHead(data);
    if (head === null) return [];
    // It describes its channel, which may be a thread that nobody told of.
    if (idOf(data, "guild_id") !== null)
      directory.observe("CHANNEL_UPDATE", { guild_id: data["guild_id"], ...channelOf(data) });
    const user = childOf(data, "user") ?? childOf(childOf(data, "member") ?? {}, "user") ?? {};
    const channel = await this.#channelOf(
      { channel_id: channelOf(data)["id"], guild_id: data["guild_id"] },
      idOf(user, "id"),
    );
    const isPrivate = interactions.isPrivate(head.id);
    const candidate =
      channel === null ? null : translateInteraction(data, { ...head, isPrivate }, await this.#around(channel));
    if (candidate === null) return this.#senseless("INTERACTION_CREATE");
    const admitted = this.#admitted(candidate, () => interactions.defer(head.id));
    if (admitted.length === 0) interactions.refuse(head.id);
    return admitted;
  }

  async #deleted(data: Payload): Promise<readonly Translated[]> {
    const ids = [idOf(data, "id"), ...textsOf(data, "ids")].filter((id) => id !== null);
    const [first] = ids;
    const channel = first === undefined ? null : await this.#channelOf(data, null);
    if (channel === null) return this.#senseless("MESSAGE_DELETE");
    const around = await this.#around(channel);
    return ids.flatMap((id) => this.#admitted(translateDelete(id, around, this.#senders.get(id) ?? unknownSender)));
  }

  /** The channel of an event; a direct one is known by who acts in it. */
  async #channelOf(event: Payload, userId: string | null): Promise<Channel | null> {
    const { directory, keeper } = this.#parts;
    const channelId = idOf(event, "channel_id");
    if (channelId === null) return null;
    const guildId = idOf(event, "guild_id");
    if (guildId === null && userId !== null && userId !== keeper.userId) {
      directory.observeDirect(channelId, userId);
      keeper.sawDirect(channelId, userId);
    }
    const channel = await directory.resolve(channelId, guildId);
    return guildId === null ? channel : { ...channel, guildId };
  }

  async #around(channel: Channel): Promise<Surroundings> {
    const guildName = channel.guildId === null ? null : await this.#parts.directory.guildName(channel.guildId);
    return { selfId: this.#parts.keeper.userId, channel, guildName };
  }

  /** Of a guild that nobody listens to: nothing need be looked up for it. An interaction is refused with a word. */
  #isForeign(event: Payload): boolean {
    const guildId = idOf(event, "guild_id");
    const { guildFilter } = this.#parts.policy();
    if (guildId === null || guildFilter === null || event["token"] !== undefined) return false;
    return !guildFilter.includes(guildId) && !guildFilter.includes("*");
  }

  #admitted({ message, place }: Candidate, onAccepted?: () => void): readonly Translated[] {
    if (!admits(this.#parts.policy(), place)) return [];
    return [onAccepted === undefined ? { message } : { message, onAccepted }];
  }

  #senseless(type: string): readonly Translated[] {
    this.ignore(type);
    return [];
  }
}

/** What tells two events apart that say the same. */
function occurrenceOf({ session }: Mark): string {
  return session === null ? "" : `${session.id}/${session.sequence}`;
}
