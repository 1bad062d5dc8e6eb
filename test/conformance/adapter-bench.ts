/** An adapter in the test's own thread, with a gateway around it that does as the test says. */
import type { AdapterModule, Policy, RunningAdapter } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage, ReplyTo } from "../../src/contract/message.ts";
import { isVolatile, parseResponse, type ResponseInput } from "../../src/contract/response.ts";
import { adaptResponse } from "../../src/outbound/fallback.ts";
import { sleep } from "../../src/support/time.ts";
import { openPolicy } from "../support/adapter-context.ts";
import { benchContext } from "./bench-context.ts";
import { BenchLedger } from "./bench-ledger.ts";
import type { EmulatedPlatform, ShownItem } from "./emulated-platform.ts";
import { within } from "./within.ts";

/** One life. */
type Life = { readonly ending: AbortController; running: RunningAdapter | null; isAlive: boolean };

/** The first restart is at once, the next ones wait, milliseconds: a supervisor in a hurry. */
const backoffMs = { least: 50, most: 2_000 } as const;

/** One adapter under test, over as many lives as it takes. Disposing stops it. */
export class AdapterBench implements AsyncDisposable {
  readonly platform: EmulatedPlatform;
  readonly ledger: BenchLedger;
  readonly #module: AdapterModule;
  #policy: Policy;
  #life: Life | null = null;
  #restarting: Promise<void> = Promise.resolve();
  #generation = 0;
  #sends = 0;
  #restarts = 0;
  #isKept = false;

  constructor(platform: EmulatedPlatform, policy: Partial<Policy> = {}) {
    this.platform = platform;
    // Its settings are made for it by the same platform.
    this.#module = platform.module as unknown as AdapterModule;
    this.#policy = policyFor(platform, policy);
    this.ledger = new BenchLedger({ key: platform.platform, platform: platform.platform });
  }

  /** A running adapter. */
  static async start(platform: EmulatedPlatform, policy: Partial<Policy> = {}): Promise<AdapterBench> {
    const bench = new AdapterBench(platform, policy);
    try {
      await within(bench.start(), "the end of start", () => bench.ledger.log.items);
    } catch (reason) {
      await bench[Symbol.asyncDispose]();
      throw reason;
    }
    return bench;
  }

  /** The running adapter. @throws {Error} when none runs. */
  get running(): RunningAdapter {
    const running = this.#life?.running ?? null;
    if (running === null) throw new Error("The adapter does not run");
    return running;
  }

  /** Lives begun so far. */
  get generation(): number {
    return this.#generation;
  }

  get capabilities(): AdapterModule["capabilities"] {
    return this.#module.capabilities;
  }

  get maxSilenceMs(): number {
    return this.#module.maxSilenceMs;
  }

  /** Begins a life, and settles as `start` does. */
  async start(): Promise<void> {
    this.#generation += 1;
    const life: Life = { ending: new AbortController(), running: null, isAlive: true };
    this.#life = life;
    try {
      const settings = this.#module.settings?.parse(this.platform.settings) ?? this.platform.settings;
      const { generation, ledger } = this;
      const { signal } = life.ending;
      const isAlive = (): boolean => life.isAlive;
      const context = { key: this.platform.platform, generation, settings, policy: this.#policy, signal };
      life.running = await this.#module.start(benchContext(context, { ledger, isAlive }));
    } catch (reason) {
      this.ledger.errors.push(reason);
      throw reason;
    }
    this.ledger.signs.add({ kind: "started", reason: "" });
    life.running.closed?.then(
      () => this.#onClosed(life, new GatewayError("platform_unavailable", "The connection ended")),
      (reason: unknown) => {
        this.ledger.errors.push(reason);
        this.#onClosed(life, reason);
      },
    );
  }

  /** Resolves when no start that {@link AdapterBench.keepRunning} asks for is under way or still to come. */
  async settled(): Promise<void> {
    let last: Promise<void> | null = null;
    // A life may be over as soon as it has begun.
    while (last !== this.#restarting) {
      last = this.#restarting;
      await last;
    }
  }

  /** From now on the adapter is started again whenever its connection is over, until a person must see to it. */
  keepRunning(): void {
    this.#isKept = true;
  }

  /** The generation must end: what `context.signal` says. */
  abort(): void {
    this.#life?.ending.abort(new GatewayError("adapter_unavailable", "the generation ends"));
  }

  /** What a save does: a new policy, in place or with the next life, as the adapter can. */
  async swapPolicy(policy: Partial<Policy>): Promise<void> {
    this.#policy = policyFor(this.platform, policy);
    const { running } = this;
    try {
      if (running.updatePolicy === undefined) throw new GatewayError("conflict", "The adapter must be replaced");
      await within(running.updatePolicy(this.#policy), "the end of updatePolicy", () => this.ledger.log.items);
    } catch {
      // It has no such thing, refuses or hangs: the supervisor would replace it as well.
      await this.#end();
      await within(this.start(), "the start with a new policy", () => this.ledger.log.items);
    }
  }

  /** Somebody says `text`; resolves with it as it was accepted. */
  async hear(text: string, conversation?: string): Promise<EmittedMessage> {
    await this.platform.say(conversation === undefined ? { text } : { text, conversation });
    return this.ledger.acceptedText(text);
  }

  /** The first shown item, past or to come, that matches. @throws {Error} naming `what` after the kit's deadline. */
  shown(matches: (item: ShownItem) => boolean, what: string): Promise<ShownItem> {
    return within(this.platform.nextShown(matches), `${what} shown`, () => this.platform.shown.slice(-20));
  }

  /** Stops the adapter as the supervisor does. */
  async stop(): Promise<void> {
    this.#isKept = false;
    await this.#end();
  }

  /** A death in the middle of everything: what waited to be accepted is not, nobody hears of it, and the next life begins. */
  async respawn(): Promise<void> {
    const life = this.#life;
    if (life !== null) life.isAlive = false;
    this.ledger.release();
    await this.#end();
    await within(this.start(), "the start after a death", () => this.ledger.log.items);
  }

  /** Says `response` where `message` came from, in the form that the outbox would give it. */
  async answer(message: EmittedMessage, response: ResponseInput, idempotencyKey?: string): Promise<void> {
    await this.send(message.conversation, response, message.replyTo ?? null, idempotencyKey);
  }

  /** Says `response` in `conversation`. @throws what the adapter rejects with, or the outbox for what is not supported. */
  async send(
    conversation: string,
    response: ResponseInput,
    replyTo: ReplyTo | null = null,
    idempotencyKey: string = this.#nextKey(),
  ): Promise<void> {
    const adapted = adaptResponse(parseResponse(response), this.capabilities);
    if (adapted === null) return;
    if (this.#module.pull === true && !isVolatile(adapted)) {
      this.ledger.mailbox.put(conversation, adapted);
      return;
    }
    const { running } = this;
    if (running.send === undefined) throw new GatewayError("unsupported_response", "The module has no send");
    const signal = this.#life?.ending.signal ?? AbortSignal.abort();
    try {
      await running.send({ conversation, response: adapted, replyTo, idempotencyKey, signal });
    } catch (reason) {
      this.ledger.errors.push(reason);
      throw reason;
    }
  }

  /** Has the adapter find out what became of a send to where `message` came from, as the outbox does after its death. */
  async complete(
    message: EmittedMessage,
    response: ResponseInput,
    sent: { readonly idempotencyKey: string; readonly attemptedAt: string },
  ): Promise<void> {
    const { running } = this;
    if (running.completeSend === undefined) throw new Error("The adapter has no completeSend");
    const adapted = adaptResponse(parseResponse(response), this.capabilities);
    if (adapted === null) return;
    const { conversation, replyTo = null } = message;
    const signal = this.#life?.ending.signal ?? AbortSignal.abort();
    await running.completeSend({ conversation, response: adapted, replyTo, ...sent, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ledger.release();
    await this.stop();
  }

  #nextKey(): string {
    this.#sends += 1;
    return `kit-${this.#sends}`;
  }

  async #end(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#life = null;
    life.ending.abort(new GatewayError("adapter_unavailable", "the generation ends"));
    await within(life.running?.stop() ?? Promise.resolve(), "the end of stop", () => this.ledger.log.items);
    life.isAlive = false;
  }

  #onClosed(life: Life, reason: unknown): void {
    this.ledger.signs.add({ kind: "closed", reason: String(reason) });
    if (!this.#isKept || this.#life !== life) return;
    this.#restarting = this.#restart(GatewayError.from(reason));
  }

  async #restart(first: GatewayError): Promise<void> {
    let cause = first;
    // What a person must see to is not tried again.
    while (this.#isKept && cause.retry.kind !== "never") {
      if (this.#restarts > 0) await sleep(Math.min(backoffMs.least * 2 ** (this.#restarts - 1), backoffMs.most));
      this.#restarts += 1;
      try {
        await this.#end();
        if (this.#isKept) await this.start();
        return;
      } catch (reason) {
        cause = GatewayError.from(reason);
      }
    }
  }
}

/** Everything is let through but what `policy` says. */
function policyFor(platform: EmulatedPlatform, policy: Partial<Policy>): Policy {
  return { ...openPolicy, ...platform.policy, ...policy };
}
