/** Discord on loopback: its REST API, its gateway and its file server, around one guild. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import discord from "../../../workers/discord/adapter.ts";
import type {
  EmulatedPlatform,
  FaultPlace,
  PlatformFault,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../../conformance/emulated-platform.ts";
import { FaultBoard } from "../fault-board.ts";
import { GatewaySessions } from "./gateway-sessions.ts";
import { InteractionDesk } from "./interaction-desk.ts";
import { nonsense } from "./nonsense.ts";
import { DiscordPeople } from "./people.ts";
import { RestRoutes } from "./rest-routes.ts";
import { RestServer } from "./rest-server.ts";
import { World } from "./world.ts";
import type { WorldEvent } from "./world-types.ts";

const token = "MTA4.planted.discord-bot-token-5f2a9c";

/** The emulator, with the adapter that talks to it. */
export class DiscordPlatform implements EmulatedPlatform {
  readonly title = "discord";
  readonly platform = "discord";
  readonly module = discord;
  readonly traits: PlatformTraits = {
    recoversMissed: true,
    acknowledges: false,
    keepsConnection: true,
    isPull: false,
    completesSends: true,
    longestText: { limit: 2_000, unit: "utf16" },
    // A heartbeat that is not answered before the next one.
    silenceShowsMs: 12_000,
  };
  readonly policy = { dmAllowedUsers: ["*"] };
  readonly secrets = [token];
  readonly world = new World();
  readonly desk = new InteractionDesk(this.world);
  readonly routes = new RestRoutes(this.world, this.desk);
  readonly people = new DiscordPeople(this.world, this.desk, this.routes.offered);
  readonly faults = new FaultBoard();
  readonly sessions = new GatewaySessions(token, this.world, this.faults);
  readonly otherConversation = this.world.otherChannel;
  readonly rest: RestServer;
  readonly #server: Server;
  readonly #upgrades = new WebSocketServer({ noServer: true });
  readonly #sockets = new Set<Socket>();
  readonly #live = new Map<WebSocket, Duplex>();
  readonly #frozen = new WeakSet<Duplex>();
  readonly #stuckUpgrades = new Set<Duplex>();
  #total = 0;
  #onEmpty: (() => void) | null = null;

  private constructor() {
    this.rest = new RestServer({
      token,
      world: this.world,
      routes: this.routes,
      sessions: this.sessions,
      faults: this.faults,
    });
    this.#server = createServer((request, response) => void this.rest.handle(request, response));
    this.#server.on("connection", (socket: Socket) => this.#track(socket));
    this.#server.on("upgrade", (request, socket: Duplex, head: Buffer) =>
      this.#upgrade(
        () => this.#upgrades.handleUpgrade(request, socket, head, (client) => this.#accept(client, socket)),
        socket,
      ),
    );
  }

  static async start(): Promise<DiscordPlatform> {
    const platform = new DiscordPlatform();
    const listening = Promise.withResolvers<void>();
    platform.#server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    platform.sessions.url = `ws://127.0.0.1:${platform.port}/gateway`;
    platform.world.cdnUrl = `http://127.0.0.1:${platform.port}`;
    return platform;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get settings(): { readonly token: string; readonly apiUrl: string; readonly catchUp: boolean } {
    return { token, apiUrl: `http://127.0.0.1:${this.port}/api`, catchUp: true };
  }

  get toml(): string {
    return `token = "${token}"\napi_url = "http://127.0.0.1:${this.port}/api"\ndm_allowed_users = ["*"]`;
  }

  bindingToml(consumer: string, conversation: string): string {
    const { guildId } = this.world;
    return `[[bindings]]\nconsumer = "${consumer}"\nchannel = "discord"\nguild_id = "${guildId}"\nchannel_ids = ["${conversation}"]`;
  }

  async say({
    text,
    conversation = this.world.mainChannel,
    senderId = this.world.ann.id,
    attachments = [],
  }: SaidMessage): Promise<string> {
    const channelId = conversation.startsWith("dm:") ? this.world.direct(conversation.slice(3)).id : conversation;
    const uploads = attachments.map(({ filename, mimeType, bytes }) => ({
      name: filename,
      contentType: mimeType,
      bytes: Buffer.from(bytes),
    }));
    return this.world.post(channelId, this.world.user(senderId), { content: text }, uploads).id;
  }

  async repeat(id: string): Promise<void> {
    const isOf = ({ type, data }: WorldEvent): boolean => type === "MESSAGE_CREATE" && data["id"] === id;
    const event = this.people.eventOf(id) ?? this.world.events.items.find(isOf);
    if (event !== undefined) this.sessions.repeat(event);
  }

  isAcknowledged(): boolean {
    return false;
  }

  async acknowledged(): Promise<void> {
    throw new TypeError("Discord is told of no message");
  }

  async sayNonsense(): Promise<void> {
    for (const frame of nonsense(this.world)) this.sessions.sendRaw(frame);
  }

  get shown(): readonly ShownItem[] {
    return this.world.shown.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.world.shown.first(matches, "a shown item");
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.faults.set(place, fault);
  }

  liftFault(place: FaultPlace): void {
    this.faults.lift(place);
    this.rest.cutHanging();
    for (const socket of this.#stuckUpgrades) socket.destroy();
  }

  faultsMet(place: FaultPlace): number {
    return this.faults.count(place);
  }

  faultMet(place: FaultPlace, count: number): Promise<void> {
    return this.faults.met(place, count);
  }

  dropConnections(): void {
    for (const client of this.#live.keys()) client.terminate();
  }

  freezeConnections(): void {
    for (const socket of this.#live.values()) {
      if (this.#frozen.has(socket)) continue;
      this.#frozen.add(socket);
      // Read and thrown away, so that the end of the socket still shows.
      socket.removeAllListeners("data").resume();
      // What the emulator says stays with it.
      Object.defineProperty(socket, "write", { value: () => true });
    }
  }

  get connections(): { readonly live: number; readonly total: number } {
    return { live: this.#live.size, total: this.#total };
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async allSocketsClosed(): Promise<void> {
    if (this.#sockets.size === 0) return;
    const empty = Promise.withResolvers<void>();
    this.#onEmpty = empty.resolve;
    await empty.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#live.keys()) client.terminate();
    for (const socket of this.#sockets) socket.destroy();
    this.#upgrades.close();
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    await closed.promise;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
  }

  #upgrade(accept: () => void, socket: Duplex): void {
    const fault = this.faults.meet("receive");
    if (fault === null) return accept();
    switch (fault.kind) {
      case "hang":
        this.#stuckUpgrades.add(socket);
        return;
      case "server_error":
        socket.end(`HTTP/1.1 ${fault.status} Bad\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
        return;
      case "rate_limit":
        socket.end(
          `HTTP/1.1 429 Too Many Requests\r\nretry-after: ${fault.retryAfterSeconds}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
        );
        return;
      case "drop":
        socket.destroy();
        return;
      // Discord finds out when the client says who it is.
      case "bad_credentials":
        accept();
    }
  }

  #accept(client: WebSocket, socket: Duplex): void {
    this.#total += 1;
    this.#live.set(client, socket);
    client.on("error", () => {});
    client.once("close", () => this.#live.delete(client));
    this.sessions.connect(client);
  }
}
