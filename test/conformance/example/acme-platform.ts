/** Acme as the conformance kit wants it: its world and its server, with a little around them. */
import { fileURLToPath } from "node:url";
import type { Policy } from "../../../src/contract/adapter.ts";
import type { EmulatedPeople } from "../emulated-people.ts";
import type {
  AnyAdapterModule,
  EmulatedPlatform,
  FaultPlace,
  PlatformFault,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../emulated-platform.ts";
import acme from "./acme-adapter.ts";
import { AcmeServer } from "./acme-server.ts";
import { AcmeWorld } from "./acme-world.ts";

const mainRoom = "lobby";
const otherRoom = "garden";
const token = "planted-acme-token-71b3";
const whole: AcmeVariant = { module: acme, modulePath: new URL("./acme-adapter.ts", import.meta.url), settings: {} };

/** An adapter for Acme: the module itself, and the file that gives a gateway the same, with settings of its own. */
export type AcmeVariant = {
  readonly module: AnyAdapterModule;
  readonly modulePath: URL;
  readonly settings: Readonly<Record<string, string>>;
};

/** One Acme, its two rooms and the adapter for it. */
export class AcmePlatform implements EmulatedPlatform {
  readonly title = "acme";
  readonly platform = "acme";
  readonly traits: PlatformTraits = {
    recoversMissed: true,
    acknowledges: true,
    keepsConnection: true,
    isPull: false,
    completesSends: true,
    longestText: { limit: 500, unit: "code_points" },
    hasCodeFences: false,
  };
  readonly policy: Partial<Policy> = {};
  readonly secrets = [token];
  readonly otherConversation = otherRoom;
  readonly module: AnyAdapterModule;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly toml: string;
  readonly people: EmulatedPeople;
  readonly #world: AcmeWorld;
  readonly #server: AcmeServer;

  private constructor(world: AcmeWorld, server: AcmeServer, { module, modulePath, settings }: AcmeVariant) {
    this.#world = world;
    this.#server = server;
    this.people = peopleOf(world, server);
    this.module = module;
    this.settings = { host: "127.0.0.1", port: server.port, token };
    const more = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    this.toml = [
      `module = ${JSON.stringify(fileURLToPath(modulePath))}`,
      "[messaging.acme.settings]",
      `host = "127.0.0.1"\nport = ${server.port}\ntoken = "${token}"`,
      ...more,
    ].join("\n");
  }

  /** `variant`: another adapter than the example's own, such as one with a defect. */
  static async start(variant: AcmeVariant = whole): Promise<AcmePlatform> {
    const world = new AcmeWorld([mainRoom, otherRoom]);
    return new AcmePlatform(world, await AcmeServer.start(token, world), variant);
  }

  bindingToml(): string {
    // The gateway derives no filters for a platform that it does not know.
    return "";
  }

  async say({ text, conversation = mainRoom, senderId = "u1", attachments = [] }: SaidMessage): Promise<string> {
    const files = attachments.map(({ filename, mimeType, bytes }) => ({ name: filename, mime: mimeType, bytes }));
    return this.#server.tell(this.#world.say({ room: conversation, userId: senderId, text, files }));
  }

  async repeat(id: string): Promise<void> {
    this.#server.repeat(id);
  }

  isAcknowledged(id: string): boolean {
    return this.#server.acknowledged.items.includes(id);
  }

  async acknowledged(id: string): Promise<void> {
    await this.#server.acknowledgedOne(id);
  }

  async sayNonsense(): Promise<void> {
    const lines = [
      "null",
      "[]",
      "17",
      "{",
      "{}",
      "é\u0000",
      '{"type":"pong","ref":999}',
      '{"type":"refused","ref":999}',
      '{"type":"message"}',
      '{"type":"message","id":1,"room":null}',
      '{"type":"message","id":"x","room":"lobby","text":"no user"}',
      '{"type":"pressed","id":"x","of":"a1","room":"lobby","user":{"id":"u1","name":"Ann"},"button":null}',
      '{"type":"surprise","id":"x","room":"lobby","user":{"id":"u1","name":"Ann"}}',
    ];
    for (const line of lines) this.#server.sendRaw(`${line}\n`);
    this.#server.sendRaw(Uint8Array.from([0xff, 0xfe, 0x0a]));
    this.#server.sendRaw(`${"x".repeat(1_000_000)}\n`);
  }

  get shown(): readonly ShownItem[] {
    return this.#world.shown.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.#world.shown.first(matches, "a shown item");
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.#server.setFault(place, fault);
  }

  liftFault(place: FaultPlace): void {
    this.#server.liftFault(place);
  }

  faultsMet(place: FaultPlace): number {
    return this.#server.faultsMet.items.filter((met) => met === place).length;
  }

  async faultMet(place: FaultPlace, count: number): Promise<void> {
    await this.#server.faultsMet.count(count, `meeting ${count} of the fault`, (met) => met === place);
  }

  dropConnections(): void {
    this.#server.dropConnections();
  }

  freezeConnections(): void {
    this.#server.freezeConnections();
  }

  get connections(): { readonly live: number; readonly total: number } {
    return { live: this.#server.liveConnections, total: this.#server.totalConnections };
  }

  get openSockets(): number {
    return this.#server.openSockets;
  }

  allSocketsClosed(): Promise<void> {
    return this.#server.allSocketsClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function peopleOf(world: AcmeWorld, server: AcmeServer): EmulatedPeople {
  return {
    edit: async (id, text) => server.tell(world.edit(id, text)),
    remove: async (id) => server.tell(world.remove(id)),
    react: async (id, reaction) => server.tell(world.react(id, reaction)),
    press: async (messageId, label) => server.tell(world.press(messageId, label)),
    command: async (name, options) => server.tell(world.use(mainRoom, name, Object.values(options).join(" "))),
    // Acme shows by its bot's acknowledgement that a press or a command has arrived.
    answered: (id) => server.acknowledgedOne(id),
    offered: (names) => world.offered.are(names),
  };
}
