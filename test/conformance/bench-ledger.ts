/** What the gateway keeps across an adapter's lives, in memory, with the test at the gate: what was emitted, accepted, stored. */
import { hash } from "node:crypto";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage, MessageKind } from "../../src/contract/message.ts";
import { encodeMessage } from "../../workers/encode-message.ts";
import { MemoryMailbox, MemoryTokenKeeper, type LoggedLine } from "../support/adapter-context.ts";
import { Observed } from "./observed.ts";

/** One call's worth of one message. `gatewayId` is what duplicates are known by. */
export type Emission = { readonly gatewayId: string; readonly message: EmittedMessage };

/** A sign of life of the adapter. */
export type Sign = { readonly kind: "reconnecting" | "connected" | "started" | "closed"; readonly reason: string };

/** Everything known of one adapter under test. */
export class BenchLedger {
  /** Each message as often as it was emitted. */
  readonly emitted = new Observed<Emission>();
  /** Each message once, in the order in which it was accepted. */
  readonly accepted = new Observed<Emission>();
  readonly log = new Observed<LoggedLine>();
  readonly signs = new Observed<Sign>();
  readonly mailbox = new MemoryMailbox();
  readonly tokens = new MemoryTokenKeeper();
  /** Every reason with which anything was rejected. */
  readonly errors: unknown[] = [];
  resumeState: unknown = null;
  /** Messages that the adapter reported lost. */
  missedMessages = 0;
  gapSeconds = 0;
  /** Signs of life of its transport. */
  frames = 0;
  readonly #known = new Set<string>();
  readonly #identity: { readonly key: string; readonly platform: string };
  #gate: PromiseWithResolvers<void> | null = null;
  #refusal: GatewayError | null = null;

  constructor(identity: { readonly key: string; readonly platform: string }) {
    this.#identity = identity;
  }

  /** No credit: nothing is accepted until {@link BenchLedger.release}. */
  hold(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Accepts what waits, and what comes. */
  release(): void {
    this.#refusal = null;
    this.#gate?.resolve();
    this.#gate = null;
  }

  /** Rejects whatever is emitted from now on, until {@link BenchLedger.release}. */
  refuse(error: GatewayError): void {
    this.#refusal = error;
  }

  /**
   * Takes one message as the gateway does.
   * @throws {GatewayError} `invalid_request` for a malformed one; what {@link BenchLedger.refuse} was given.
   */
  async accept(message: EmittedMessage, isAlive: () => boolean): Promise<string> {
    const { header } = encodeMessage(message, this.#identity, hash);
    const emission = { gatewayId: header.id, message };
    this.emitted.add(emission);
    await this.#gate?.promise;
    // In a thread that died nobody would be left to hear it; here it must not wait for ever.
    if (!isAlive()) throw new GatewayError("adapter_unavailable", "Cannot accept the message: its generation is over");
    if (this.#refusal !== null) throw this.#refusal;
    if (!this.#known.has(header.id)) {
      this.#known.add(header.id);
      this.accepted.add(emission);
    }
    return header.id;
  }

  /** The first message, past or to come, with this text. */
  async acceptedText(text: string): Promise<EmittedMessage> {
    const what = `an accepted message ${JSON.stringify(text.slice(0, 80))}`;
    return (await this.accepted.first(({ message }) => message.text === text, what)).message;
  }

  /** The first message of this kind, past or to come. */
  async acceptedKind(kind: MessageKind): Promise<EmittedMessage> {
    return (await this.accepted.first(({ message }) => message.kind === kind, `an accepted message of kind ${kind}`))
      .message;
  }

  /** The messages of this kind accepted so far. */
  ofKind(kind: MessageKind): readonly EmittedMessage[] {
    return this.accepted.items.flatMap(({ message }) => (message.kind === kind ? [message] : []));
  }

  /** The texts accepted so far that begin so. */
  texts(prefix = ""): readonly string[] {
    return this.accepted.items.map(({ message }) => message.text).filter((text) => text.startsWith(prefix));
  }
}
