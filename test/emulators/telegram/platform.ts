/** Telegram as the conformance kit sees it: one bot, a group with topics, another group, one person; polled or posting. */
import type { Policy } from "../../../src/contract/adapter.ts";
import telegram from "../../../workers/telegram/adapter.ts";
import type {
  EmulatedPlatform,
  FaultPlace,
  PlatformFault,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import { freePort } from "../../support/gateway-fixture.ts";
import { BotApiServer } from "./bot-api-server.ts";
import { annUser, BotWorld, conversationName, mainChat, otherChat, type WorldChat } from "./bot-world.ts";
import { nonsenseUpdates } from "./nonsense.ts";
import { TelegramPeople } from "./people.ts";
import type { QueuedUpdate } from "./update-queue.ts";
import { WebhookPusher } from "./webhook-pusher.ts";

const token = "7000001:AAF-planted_telegram_token_Zq81xK";
const webhookSecret = "planted-telegram-webhook-secret_55";

/** What is said, as the fields of one message. */
type MessageFields = Readonly<Record<string, unknown>>;

/** An emulated Telegram. */
export class TelegramPlatform implements EmulatedPlatform {
  readonly title: string;
  readonly platform = "telegram";
  readonly module = telegram;
  readonly traits: PlatformTraits;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly toml: string;
  readonly policy: Partial<Policy> = { dmAllowedUsers: ["*"] };
  readonly secrets = [token, encodeURIComponent(token), webhookSecret];
  readonly otherConversation = conversationName(otherChat, null);
  readonly world: BotWorld;
  readonly server: BotApiServer;
  readonly pusher: WebhookPusher;
  readonly people: TelegramPeople;
  readonly #items: Observed<ShownItem>;
  /** One entry for each time that an update was confirmed. */
  readonly #confirmations = new Observed<null>();
  readonly #updates = new Map<string, readonly QueuedUpdate[]>();
  #whenClosed: (() => void) | null = null;
  #lastAlbum = 0;

  private constructor(
    mode: "polling" | "webhook",
    parts: {
      readonly server: BotApiServer;
      readonly world: BotWorld;
      readonly items: Observed<ShownItem>;
      readonly port: number;
    },
  ) {
    const isPolling = mode === "polling";
    this.title = isPolling ? "telegram (long polling)" : "telegram (webhook)";
    this.world = parts.world;
    this.server = parts.server;
    this.#items = parts.items;
    this.pusher = new WebhookPusher(parts.world, () => this.#onClosed());
    this.people = new TelegramPeople(parts.world, {
      send: (kind, content) => this.#sendKnown(kind, content),
      say: (fields) => this.sayMessage(mainChat, null, fields),
    });
    parts.server.onSocketClosed(() => this.#onClosed());
    parts.world.queue.onConfirmed = () => this.#confirmations.add(null);
    this.traits = {
      recoversMissed: true,
      acknowledges: true,
      keepsConnection: isPolling,
      isPull: false,
      longestText: { limit: 4096, unit: "utf16" },
    };
    this.settings = {
      token,
      apiUrl: parts.server.url,
      webhookUrl: isPolling ? "" : `http://127.0.0.1:${parts.port}/telegram`,
      webhookSecret: isPolling ? "" : webhookSecret,
      port: parts.port,
      bind: "127.0.0.1",
    };
    const webhook = `webhook_url = "http://127.0.0.1:${parts.port}/telegram"\nwebhook_secret = "${webhookSecret}"\nport = ${parts.port}`;
    this.toml = `token = "${token}"\napi_url = "${parts.server.url}"\ndm_allowed_users = ["*"]${isPolling ? "" : `\n${webhook}`}`;
  }

  static async start(mode: "polling" | "webhook" = "polling"): Promise<TelegramPlatform> {
    const world = new BotWorld();
    const items = new Observed<ShownItem>();
    const server = await BotApiServer.start({ world, token, show: (item) => items.add(item) });
    return new TelegramPlatform(mode, { server, world, items, port: mode === "polling" ? 0 : await freePort() });
  }

  bindingToml(consumer: string, conversation: string): string {
    const [chatId] = conversation.split("#");
    return `[[bindings]]\nconsumer = "${consumer}"\nchannel = "telegram"\nchat_id = "${chatId}"`;
  }

  async say({ text, conversation, senderId, attachments = [] }: SaidMessage): Promise<string> {
    const { chat, topicId } = this.#placeOf(conversation ?? conversationName(mainChat, null));
    if (attachments.length === 0) return this.sayMessage(chat, topicId, { text }, senderId);
    this.#lastAlbum += 1;
    const album = attachments.length > 1 ? { media_group_id: `13${this.#lastAlbum}` } : {};
    const ids = attachments.map(({ filename, mimeType, bytes }, index) => {
      const file = this.world.addFile(filename, mimeType, bytes);
      const document = {
        file_id: file.id,
        file_unique_id: file.id,
        file_name: filename,
        mime_type: mimeType,
        file_size: bytes.length,
      };
      return this.sayMessage(
        chat,
        topicId,
        { document, ...album, ...(index === 0 ? { caption: text } : {}) },
        senderId,
      );
    });
    const [id = ""] = ids;
    this.#updates.set(
      id,
      ids.flatMap((each) => this.#updates.get(each) ?? []),
    );
    return id;
  }

  /** A message of any kind; its fields as the Bot API has them. Its id. */
  sayMessage(chat: WorldChat, topicId: number | null, fields: MessageFields, senderId = String(annUser.id)): string {
    const written = this.world.write({ chat, topicId, isBots: false, text: "" });
    const message = {
      message_id: written.messageId,
      date: Math.floor(Date.now() / 1000),
      chat,
      from: { ...annUser, id: Number(senderId) },
      ...(topicId === null ? {} : { message_thread_id: topicId, is_topic_message: true }),
      ...fields,
    };
    const id = String(written.messageId);
    this.#updates.set(id, [this.sendUpdate(chat.type === "channel" ? "channel_post" : "message", message)]);
    return id;
  }

  /** An update of any kind the bot asked for; `lane` is what its webhook keeps in order. */
  sendUpdate(kind: string, content: unknown, lane = "chat"): QueuedUpdate {
    const { queue } = this.world;
    const update = { update_id: queue.nextId(), [kind]: content };
    if (queue.allowed !== null && !queue.allowed.includes(kind)) return update;
    queue.add(update);
    if (this.#isWebhook) this.pusher.push(lane, update);
    return update;
  }

  async repeat(id: string): Promise<void> {
    for (const update of this.#updates.get(id) ?? []) {
      if (this.#isWebhook) this.pusher.push("chat", update);
      else this.world.queue.repeat(update);
    }
  }

  isAcknowledged(id: string): boolean {
    const updates = this.#updates.get(id) ?? [];
    return updates.length > 0 && updates.every((update) => this.world.queue.isConfirmed(update.update_id));
  }

  async acknowledged(id: string): Promise<void> {
    for (let seen = 0; !this.isAcknowledged(id); seen = this.#confirmations.items.length)
      await this.#confirmations.count(
        Math.max(seen, this.#confirmations.items.length) + 1,
        `the acknowledgement of ${id}`,
      );
  }

  async sayNonsense(): Promise<void> {
    const { queue } = this.world;
    const updates = nonsenseUpdates(() => queue.nextId());
    if (this.#isWebhook) {
      for (const update of updates) await this.pusher.post(JSON.stringify(update));
      for (const body of ["", "{", "null", "\u0000", `"${"x".repeat(2_000_000)}"`]) await this.pusher.post(body);
      await this.pusher.post(JSON.stringify({ update_id: queue.nextId() }), "not-the-secret");
      return;
    }
    const half = Math.floor(updates.length / 2);
    const lists = [updates.slice(0, half), [null, {}], updates.slice(half)];
    queue.nonsense.push(...lists);
    queue.wake();
    while (queue.nonsense.length > 0) await this.server.nextCall("getUpdates");
  }

  get shown(): readonly ShownItem[] {
    return this.#items.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.#items.first(matches, "a shown item");
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.server.faults.set(place, fault);
  }

  liftFault(place: FaultPlace): void {
    this.server.liftFault(place);
  }

  faultsMet(place: FaultPlace): number {
    return this.server.faults.count(place);
  }

  faultMet(place: FaultPlace, count: number): Promise<void> {
    return this.server.faults.met(place, count);
  }

  dropConnections(): void {
    this.server.dropConnections();
    this.pusher.dropConnections();
  }

  freezeConnections(): void {
    this.server.freezeConnections();
  }

  get connections(): { readonly live: number; readonly total: number } {
    return this.server.connections;
  }

  get openSockets(): number {
    return this.server.openSockets + this.pusher.openSockets;
  }

  async allSocketsClosed(): Promise<void> {
    while (this.openSockets > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenClosed = resolve;
      await promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pusher[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
  }

  /** An update that can be given again; for a query that is by the query's own id. */
  #sendKnown(kind: string, content: unknown): string {
    const update = this.sendUpdate(kind, content);
    const id = kind === "callback_query" ? (content as { readonly id: string }).id : `update-${update.update_id}`;
    this.#updates.set(id, [update]);
    return id;
  }

  get #isWebhook(): boolean {
    return this.settings["webhookUrl"] !== "";
  }

  #placeOf(conversation: string): { readonly chat: WorldChat; readonly topicId: number | null } {
    const [chatId, topic] = conversation.split("#topic:");
    const chat = this.world.chats.get(Number(chatId));
    if (chat === undefined) throw new TypeError(`There is no chat ${conversation}`);
    return { chat, topicId: topic === undefined ? null : Number(topic) };
  }

  #onClosed(): void {
    this.#whenClosed?.();
  }
}
