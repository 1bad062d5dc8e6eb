/** What the emulators of platforms whose clients call us have in common: there is no service, so no service's faults. */
import type { Policy } from "../../src/contract/adapter.ts";
import type {
  AnyAdapterModule,
  EmulatedPlatform,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../conformance/emulated-platform.ts";
import { Observed } from "../conformance/observed.ts";

/** The emulator is the client. */
export abstract class ClientPlatform implements EmulatedPlatform {
  abstract readonly title: string;
  abstract readonly platform: string;
  abstract readonly module: AnyAdapterModule;
  abstract readonly traits: PlatformTraits;
  abstract readonly settings: Readonly<Record<string, unknown>>;
  abstract readonly toml: string;
  abstract readonly secrets: readonly string[];
  abstract readonly otherConversation: string;
  abstract readonly openSockets: number;
  abstract readonly connections: { readonly live: number; readonly total: number };
  readonly policy: Partial<Policy> = {};
  /** Shown so far. */
  protected readonly items = new Observed<ShownItem>();
  /** Ids of what the adapter has taken. */
  protected readonly taken = new Observed<string>();

  abstract say(message: SaidMessage): Promise<string>;
  abstract repeat(id: string): Promise<void>;
  abstract sayNonsense(): Promise<void>;
  abstract dropConnections(): void;
  abstract allSocketsClosed(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** A binding chooses the consumer here and narrows nothing. */
  bindingToml(): string {
    return "";
  }

  isAcknowledged(id: string): boolean {
    return this.taken.items.includes(id);
  }

  async acknowledged(id: string): Promise<void> {
    await this.taken.first((other) => other === id, `the acknowledgement of ${id}`);
  }

  get shown(): readonly ShownItem[] {
    return this.items.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.items.first(matches, "a shown item");
  }

  setFault(): void {
    throw noService();
  }

  liftFault(): void {}

  faultsMet(): number {
    return 0;
  }

  async faultMet(): Promise<void> {
    throw noService();
  }

  freezeConnections(): void {
    throw noService();
  }
}

function noService(): TypeError {
  return new TypeError("The clients of this platform call the adapter: there is no service to be at fault");
}
