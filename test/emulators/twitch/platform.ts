/** Twitch as the conformance kit sees it: one bot, two channels, a few people. */
import { randomUUID } from "node:crypto";
import type { Policy } from "../../../src/contract/adapter.ts";
import type { TwitchSettings } from "../../../src/contract/settings.ts";
import twitch from "../../../workers/twitch/adapter.ts";
import type { EmulatedPeople } from "../../conformance/emulated-people.ts";
import type {
  EmulatedPlatform,
  FaultPlace,
  PlatformFault,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../../conformance/emulated-platform.ts";
import { ChatService } from "./chat-service.ts";
import type { Said } from "./chat-session.ts";
import { annAccount, botAccount, ChatWorld, mainChannel, otherChannel, type Account } from "./chat-world.ts";
import type { Tags } from "./irc.ts";
import { nonsenseFrames } from "./nonsense.ts";
import { TokenLedger } from "./token-ledger.ts";

const oauthToken = "planted0twitch1access2token3zq81";
const refreshToken = "planted0twitch1refresh2token3xk44";
const clientSecret = "planted0twitch1client2secret3pp07";
const clientId = "client0id1of2the3bot";

/** Shown by nobody. */
const zeroWidthSpace = "\u200B";

/** What stands in a channel, with whom it is from. */
export type Spoken = {
  readonly text: string;
  readonly channel?: string;
  readonly sender?: Account;
  /** Beside what every message has, or in its place. */
  readonly tags?: Tags;
};

/** An emulated Twitch. */
export class TwitchPlatform implements EmulatedPlatform {
  readonly title = "twitch";
  readonly platform = "twitch";
  readonly module = twitch;
  readonly traits: PlatformTraits = {
    recoversMissed: false,
    acknowledges: false,
    keepsConnection: true,
    isPull: false,
    longestText: { limit: 500, unit: "code_points" },
    attachments: "none",
    hasCodeFences: false,
    hasLineBreaks: false,
    // A PING that is not answered, with the wait before it.
    silenceShowsMs: 40_000,
  };
  readonly settings: Readonly<Record<string, unknown>> & TwitchSettings;
  readonly toml: string;
  readonly policy: Partial<Policy> = { dmAllowedUsers: [] };
  readonly secrets = [oauthToken, refreshToken, clientSecret];
  readonly otherConversation = otherChannel;
  readonly service: ChatService;
  /** A moderator takes a message away. Of nothing else that becomes of one does Twitch's chat tell. */
  readonly people: EmulatedPeople = { remove: async (id) => this.#remove(id) };
  readonly #spoken = new Map<string, Required<Spoken>>();
  /** What sends a message or deletion once more, by its id. */
  readonly #repeats = new Map<string, () => void>();

  private constructor(service: ChatService, settings: Partial<TwitchSettings>) {
    this.service = service;
    this.settings = {
      username: botAccount.login,
      oauthToken,
      clientId,
      clientSecret,
      refreshToken,
      channels: [mainChannel, otherChannel],
      ircUrl: `ws://${service.host}/`,
      idUrl: `http://${service.host}`,
      ...settings,
    };
    this.toml = [
      `username = "${this.settings.username}"`,
      `oauth_token = "oauth:${this.settings.oauthToken}"`,
      `client_id = "${this.settings.clientId}"`,
      `client_secret = "${this.settings.clientSecret}"`,
      `refresh_token = "${this.settings.refreshToken}"`,
      `channels = ${JSON.stringify(this.settings.channels.map((channel) => `#${channel}`))}`,
      `irc_url = "${this.settings.ircUrl}"`,
      `id_url = "${this.settings.idUrl}"`,
    ].join("\n");
  }

  /** `channels`: those that there are. */
  static async start(
    settings: Partial<TwitchSettings> = {},
    channels: readonly string[] = [mainChannel, otherChannel],
  ): Promise<TwitchPlatform> {
    const ledger = new TokenLedger({ clientId, clientSecret, account: botAccount });
    ledger.grant(oauthToken);
    ledger.grantRefresh(refreshToken);
    const service = await ChatService.start({ world: new ChatWorld(channels), ledger });
    return new TwitchPlatform(service, settings);
  }

  bindingToml(consumer: string, conversation: string): string {
    return `[[bindings]]\nconsumer = "${consumer}"\nchannel = "twitch"\nchannel_ids = ["${conversation}"]`;
  }

  /** Somebody who waits for the bot to be there: what is said to nobody is lost, and no case of the kit is about that. */
  async say({ text, conversation = mainChannel, senderId = annAccount.userId }: SaidMessage): Promise<string> {
    await this.service.heardBy(conversation);
    return this.speak({ text, channel: conversation, sender: { ...annAccount, userId: senderId } });
  }

  /** Somebody writes, whoever hears it. The message's id. */
  speak({ text, channel = mainChannel, sender = annAccount, tags = {} }: Spoken): string {
    const id = tags["id"] ?? randomUUID();
    const spoken = { text, channel, sender, tags: { ...tags, id, "tmi-sent-ts": String(Date.now()) } };
    this.#spoken.set(id, spoken);
    return this.#tell(id, () => this.#deliver(spoken));
  }

  async repeat(id: string): Promise<void> {
    this.#repeats.get(id)?.();
  }

  /** A line of the server's own about a channel, such as CLEARMSG, to all who are there. */
  tell(command: string, tags: Tags, text: string | null = null, channel = mainChannel): void {
    const rest = `${command} #${channel}${text === null ? "" : ` :${text}`}`;
    for (const session of this.service.listeners(channel)) session.send(session.line(tags, rest));
  }

  isAcknowledged(): boolean {
    return false;
  }

  async acknowledged(): Promise<void> {
    throw new TypeError("Nobody tells Twitch what was heard");
  }

  async sayNonsense(): Promise<void> {
    for (const session of this.service.live) {
      for (const frame of nonsenseFrames()) session.socket.send(frame);
      await session.digested();
    }
  }

  get shown(): readonly ShownItem[] {
    return this.service.said.items.map(shownItem);
  }

  async nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return shownItem(await this.service.said.first((said) => matches(shownItem(said)), "a shown item"));
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.service.faults.set(place, fault);
  }

  liftFault(place: FaultPlace): void {
    this.service.faults.lift(place);
    this.service.cutHanging();
  }

  faultsMet(place: FaultPlace): number {
    return this.service.faults.count(place);
  }

  faultMet(place: FaultPlace, count: number): Promise<void> {
    return this.service.faults.met(place, count);
  }

  dropConnections(): void {
    this.service.drop();
  }

  freezeConnections(): void {
    this.service.freeze();
  }

  get connections(): { readonly live: number; readonly total: number } {
    return { live: this.service.live.length, total: this.service.sessions.items.length };
  }

  get openSockets(): number {
    return this.service.openSockets;
  }

  allSocketsClosed(): Promise<void> {
    return this.service.empty();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
  }

  #remove(id: string): string {
    const spoken = this.#spoken.get(id);
    if (spoken === undefined) throw new TypeError(`There is no message ${id}`);
    const { text, channel, sender } = spoken;
    const tags = { login: sender.login, "room-id": "", "target-msg-id": id, "tmi-sent-ts": String(Date.now()) };
    return this.#tell(`deletion-${id}`, () => this.tell("CLEARMSG", tags, text, channel));
  }

  /** Now, and whenever `id` is repeated. */
  #tell(id: string, tell: () => void): string {
    this.#repeats.set(id, tell);
    tell();
    return id;
  }

  #deliver({ text, channel, sender, tags }: Required<Spoken>): void {
    const { login, userId, displayName } = sender;
    const { roomId } = this.service.world.channel(channel);
    const common = {
      "badge-info": "",
      badges: this.service.world.badgesOf(login, this.service.world.channel(channel)),
      color: "#1E90FF",
      "display-name": displayName,
      emotes: "",
      "first-msg": "0",
      flags: "",
      mod: "0",
      "returning-chatter": "0",
      "room-id": roomId,
      subscriber: "0",
      turbo: "0",
      "user-id": userId,
      "user-type": "",
    };
    for (const session of this.service.listeners(channel))
      session.send(
        session.line(
          { ...common, ...tags },
          `PRIVMSG #${channel} :${text}`,
          `${login}!${login}@${login}.tmi.twitch.tv`,
        ),
      );
  }
}

function shownItem({ channel, messageId, text, tags }: Said): ShownItem {
  const shown = text.replaceAll(zeroWidthSpace, "");
  return { kind: "message", conversation: channel.login, messageId, text: shown, raw: { text, tags } };
}
