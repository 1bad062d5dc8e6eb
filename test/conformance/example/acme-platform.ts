/** Acme as the conformance kit wants it: its server with a little around it. */
import { fileURLToPath } from "node:url";
import type { Policy } from "../../../src/contract/adapter.ts";
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

const mainRoom = "lobby";
const otherRoom = "garden";
const token = "planted-acme-token-71b3";
const modulePath = fileURLToPath(new URL("./acme-adapter.ts", import.meta.url));

/** One Acme, its two rooms and the adapter for it. */
export class AcmePlatform implements EmulatedPlatform {
  readonly title = "acme";
  readonly platform = "acme";
  readonly traits: PlatformTraits = {
    recoversMissed: true,
    acknowledges: true,
    keepsConnection: true,
    isPull: false,
    longestText: { limit: 500, unit: "code_points" },
    hasCodeFences: false,
  };
  readonly policy: Partial<Policy> = {};
  readonly secrets = [token];
  readonly otherConversation = otherRoom;
  readonly module: AnyAdapterModule;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly toml: string;
  readonly #server: AcmeServer;

  private constructor(server: AcmeServer, module: AnyAdapterModule) {
    this.#server = server;
    this.module = module;
    this.settings = { host: "127.0.0.1", port: server.port, token };
    this.toml = `module = "${modulePath}"\n[messaging.acme.settings]\nhost = "127.0.0.1"\nport = ${server.port}\ntoken = "${token}"`;
  }

  /** `module`: another one than the example's own, such as one with a defect. */
  static async start(module: AnyAdapterModule = acme): Promise<AcmePlatform> {
    return new AcmePlatform(await AcmeServer.start(token, [mainRoom, otherRoom]), module);
  }

  bindingToml(): string {
    // The gateway derives no filters for a platform that it does not know.
    return "";
  }

  async say({ text, conversation = mainRoom, senderId = "u1", attachments = [] }: SaidMessage): Promise<string> {
    const id = this.#server.nextId();
    const files = attachments.map(({ filename, mimeType, bytes }, index) => {
      const fileId = `${id}-${index}`;
      this.#server.files.set(fileId, bytes);
      return { id: fileId, name: filename, mime: mimeType, size: bytes.length };
    });
    this.#server.say({ id, room: conversation, user: { id: senderId, name: "Ann" }, text, files });
    return id;
  }

  async repeat(id: string): Promise<void> {
    this.#server.repeat(id);
  }

  isAcknowledged(id: string): boolean {
    return this.#server.acknowledged.items.includes(id);
  }

  async acknowledged(id: string): Promise<void> {
    await this.#server.acknowledged.first((other) => other === id, `the acknowledgement of ${id}`);
  }

  async sayNonsense(): Promise<void> {
    const lines = ["null", "[]", "17", "{", "{}", '{"type":"message"}', '{"type":"message","id":1,"room":null}'];
    const more = [
      '{"type":"message","id":"x","room":"lobby","text":"no user"}',
      '{"type":"pong","ref":999}',
      "é\u0000",
    ];
    for (const line of [...lines, ...more]) this.#server.sendRaw(`${line}\n`);
    this.#server.sendRaw(Uint8Array.from([0xff, 0xfe, 0x0a]));
    this.#server.sendRaw(`${"x".repeat(1_000_000)}\n`);
  }

  get shown(): readonly ShownItem[] {
    return this.#server.shown.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.#server.shown.first(matches, "a shown item");
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
