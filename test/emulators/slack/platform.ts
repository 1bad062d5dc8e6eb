/** An emulated Slack workspace with one app, heard by Socket Mode or by requests. */
import { createServer, type AddressInfo } from "node:net";
import slack from "../../../workers/slack/adapter.ts";
import type { Policy } from "../../../src/contract/adapter.ts";
import type { SlackSettings } from "../../../src/contract/settings.ts";
import { emojiOfName } from "../../../src/support/emoji.ts";
import type {
  EmulatedPlatform,
  FaultPlace,
  PlatformFault,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import { EventsPusher } from "./events-pusher.ts";
import { FaultBoard } from "../fault-board.ts";
import { SlackPeople } from "./people.ts";
import { frameNonsense, requestNonsense } from "./nonsense.ts";
import { Service } from "./service.ts";
import { SocketMode } from "./socket-mode.ts";
import { allScopes, WebApi, type Shown } from "./web-api.ts";
import { aliceUser, escaped, Workspace, type Json } from "./workspace.ts";

const botToken = "xoxb-1234567890-conformance-bot-token";
const appToken = "xapp-1-A0APP-1234567890-conformance-app-token";
const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5";
const defaultChannel = "C0GENERAL";

/** How the app is told. */
export type SlackMode = "socket" | "http";

/** See the file. */
export class SlackPlatform implements EmulatedPlatform {
  readonly title: string;
  readonly platform = "slack";
  readonly module = slack;
  readonly traits: PlatformTraits;
  readonly settings: SlackSettings;
  readonly toml: string;
  readonly policy: Partial<Policy> = { dmAllowedUsers: ["*"] };
  readonly secrets: readonly string[];
  readonly otherConversation = "C0OTHER";
  readonly workspace: Workspace;
  readonly api: WebApi;
  readonly service: Service;
  readonly socket: SocketMode;
  readonly pusher: EventsPusher | null;
  readonly faults: FaultBoard;
  readonly scopes: Set<string>;
  readonly people: SlackPeople;
  /** What was posted to response addresses. */
  readonly responses = new Observed<{ readonly id: string; readonly body: Json }>();
  readonly #items: Observed<ShownItem>;

  private constructor(mode: SlackMode, parts: Parts, port: number, settings: Partial<SlackSettings>) {
    this.workspace = parts.workspace;
    this.api = parts.api;
    this.service = parts.service;
    this.socket = parts.socket;
    this.faults = parts.faults;
    this.scopes = parts.scopes;
    this.#items = parts.items;
    this.people = new SlackPeople(parts.workspace, {
      event: (id, event) => this.tellEvent(id, event),
      command: (id, fields) => this.tellCommand(id, fields),
      interaction: (id, fields) => this.tellInteraction(id, fields),
      acknowledged: (id) => this.acknowledged(id),
    });
    const isSocket = mode === "socket";
    this.title = isSocket ? "slack (socket mode)" : "slack (HTTP mode)";
    this.pusher = isSocket ? null : new EventsPusher(port, signingSecret);
    this.traits = {
      recoversMissed: true,
      acknowledges: true,
      keepsConnection: isSocket,
      isPull: false,
      completesSends: true,
      longestText: { limit: 12_000, unit: "utf16" },
      // A ping every two seconds, and six for a pong.
      silenceShowsMs: 10_000,
    };
    this.settings = {
      botToken,
      appToken: isSocket ? appToken : "",
      signingSecret: isSocket ? "" : signingSecret,
      port,
      bind: "127.0.0.1",
      apiUrl: `http://${this.service.host}/api/`,
      catchUp: true,
      ...settings,
    };
    this.secrets = isSocket ? [botToken, appToken] : [botToken, signingSecret];
    this.toml = [
      `bot_token = "${botToken}"`,
      isSocket ? `app_token = "${appToken}"` : `signing_secret = "${signingSecret}"\nport = ${port}`,
      `api_url = "${this.settings.apiUrl}"`,
      'dm_allowed_users = ["*"]',
    ].join("\n");
  }

  static async start(mode: SlackMode, settings: Partial<SlackSettings> = {}): Promise<SlackPlatform> {
    const workspace = new Workspace();
    const faults = new FaultBoard();
    const socket = new SocketMode();
    const items = new Observed<ShownItem>();
    const scopes = new Set([...allScopes, "assistant:write"]);
    const late: { api: WebApi | null; platform: SlackPlatform | null } = { api: null, platform: null };
    const service = await Service.start({
      faults,
      workspace,
      botToken,
      scopes,
      api: () => late.api ?? fail("the Web API is not there yet"),
      onUpgrade: (request, connection, head) => socket.upgrade(request, connection, head),
      onRespond: (id, body) => late.platform?.responses.add({ id, body }),
    });
    const api = new WebApi({
      workspace,
      botToken,
      appToken,
      scopes,
      socketUrl: () => `ws://${service.host}/link/?ticket=${socket.ticket()}&app_id=A0APP`,
      baseUrl: () => `http://${service.host}`,
      onShown: (shown) => {
        const item = itemOf(shown);
        if (item !== null) items.add(item);
      },
    });
    late.api = api;
    const parts = { workspace, api, service, socket, faults, items, scopes };
    const platform = new SlackPlatform(mode, parts, mode === "http" ? await freePort() : 3000, settings);
    late.platform = platform;
    return platform;
  }

  bindingToml(consumer: string, conversation: string): string {
    return `[[bindings]]\nconsumer = "${consumer}"\nchannel = "slack"\nchannel_ids = ["${conversation}"]`;
  }

  async say({
    text,
    conversation = defaultChannel,
    senderId = aliceUser,
    attachments = [],
  }: SaidMessage): Promise<string> {
    const files = attachments.map(({ filename, mimeType, bytes }) => this.api.addFile(filename, mimeType, bytes));
    return this.tell(conversation, {
      text: escaped(text),
      user: senderId,
      client_msg_id: crypto.randomUUID(),
      ...(files.length === 0 ? {} : { subtype: "file_share", files, upload: false }),
    });
  }

  /** Puts a message with Slack's own members into a channel, and tells the app. */
  tell(channel: string, message: Parameters<Workspace["add"]>[1]): string {
    const added = this.workspace.add(channel, message);
    for (const event of this.workspace.eventsOf(channel, added)) this.tellEvent(added.ts, event);
    return added.ts;
  }

  /** Tells the app of any event. */
  tellEvent(id: string, event: Json): void {
    const body = this.workspace.eventBody(event);
    if (this.pusher === null) this.socket.deliver({ id, type: "events_api", body });
    else this.pusher.pushEvent(id, body);
  }

  /** Tells the app of a command. */
  tellCommand(id: string, fields: Readonly<Record<string, string>>): void {
    const body = {
      token: "verification-token",
      team_id: "T0TEAM",
      channel_id: defaultChannel,
      user_id: aliceUser,
      user_name: "alice",
      trigger_id: id,
      response_url: `http://${this.service.host}/respond/${id}`,
      ...fields,
    };
    if (this.pusher === null) this.socket.deliver({ id, type: "slash_commands", body });
    else this.pusher.pushForm(id, body);
  }

  /** Tells the app of a click, a form or a shortcut. */
  tellInteraction(id: string, fields: Json): void {
    const body = {
      token: "verification-token",
      trigger_id: id,
      team: { id: "T0TEAM", domain: "x" },
      user: { id: aliceUser, username: "alice", team_id: "T0TEAM" },
      ...fields,
    };
    if (this.pusher === null) this.socket.deliver({ id, type: "interactive", body });
    else this.pusher.pushForm(id, { payload: JSON.stringify(body) });
  }

  async repeat(id: string): Promise<void> {
    this.socket.repeat(id);
    this.pusher?.repeat(id);
  }

  isAcknowledged(id: string): boolean {
    if (this.pusher !== null) return this.pusher.answered.items.some((item) => item.id === id);
    const told = this.socket.deliveries.filter((delivery) => delivery.id === id);
    return told.length > 0 && told.every((delivery) => delivery.isAcknowledged);
  }

  async acknowledged(id: string): Promise<void> {
    const acknowledged: Observed<{ readonly id: string }> = this.pusher?.answered ?? this.socket.answers;
    await acknowledged.first((item) => item.id === id && this.isAcknowledged(id), `the acknowledgement of ${id}`);
  }

  async sayNonsense(): Promise<void> {
    if (this.pusher === null) for (const frame of frameNonsense()) this.socket.sendRaw(frame);
    else await requestNonsense(this.pusher);
  }

  get shown(): readonly ShownItem[] {
    return this.#items.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.#items.first(matches, "a shown item");
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.faults.set(place, fault);
  }

  liftFault(place: FaultPlace): void {
    this.faults.lift(place);
    this.service.cutHanging(place);
  }

  faultsMet(place: FaultPlace): number {
    return this.faults.count(place);
  }

  faultMet(place: FaultPlace, count: number): Promise<void> {
    return this.faults.met(place, count);
  }

  dropConnections(): void {
    this.socket.drop();
  }

  freezeConnections(): void {
    this.socket.freeze();
  }

  get connections(): { readonly live: number; readonly total: number } {
    return { live: this.socket.live, total: this.socket.total };
  }

  get openSockets(): number {
    return this.service.openSockets + (this.pusher?.openSockets ?? 0);
  }

  async allSocketsClosed(): Promise<void> {
    await this.service.empty();
    await this.pusher?.empty();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket[Symbol.dispose]();
    this.pusher?.[Symbol.dispose]();
    await this.service[Symbol.asyncDispose]();
  }
}

type Parts = {
  readonly workspace: Workspace;
  readonly api: WebApi;
  readonly service: Service;
  readonly socket: SocketMode;
  readonly faults: FaultBoard;
  readonly items: Observed<ShownItem>;
  readonly scopes: Set<string>;
};

function itemOf({ kind, channel, ts, text, raw }: Shown): ShownItem | null {
  if (kind === "status") return null;
  const isReaction = kind === "reaction" || kind === "reaction_removed";
  const shown = isReaction ? (emojiOfName(text) ?? text) : text;
  return { kind, conversation: channel, messageId: ts, text: shown, raw };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return port;
}

function fail(message: string): never {
  throw new TypeError(message);
}
