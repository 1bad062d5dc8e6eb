/** Numbered messages, both ways: people who talk on every platform, and a program that sends to each. */
import { sleep, withDeadline } from "../../../src/support/time.ts";
import type { ChaosGateway } from "./chaos-gateway.ts";
import type { ChaosPlatform } from "./chaos-platforms.ts";
import type { Said } from "./ledger.ts";
import type { Addressed } from "./send-ledger.ts";

/** Between two messages of one platform, on average. */
const talkPeriodMs = 500;
const sendPeriodMs = 700;
/** One message of so many is said in the other conversation. */
const elsewherePeriod = 5;
/** Longer than any fault: a platform that does not take what people say by then is broken itself. */
const sayDeadlineMs = 60_000;

type Message = { readonly text: string; readonly id: string };

/** All that is said and sent in a run. */
export class Traffic {
  readonly #gateway: ChaosGateway;
  readonly #platforms: readonly ChaosPlatform[];
  readonly #over = new AbortController();
  readonly #said = new Map<string, Message[]>();
  readonly #loops: readonly Promise<void>[];
  /** Resolved while there is talk. */
  #gate: Promise<void> = Promise.resolve();
  /** Sends that were answered with 202: from then on the gateway has them. */
  readonly accepted: Addressed[] = [];
  /** What people could not say, in words. */
  readonly troubles: string[] = [];

  constructor(gateway: ChaosGateway, platforms: readonly ChaosPlatform[]) {
    this.#gateway = gateway;
    this.#platforms = platforms;
    this.#loops = [...platforms.map((platform) => this.#talk(platform)), this.#send()];
  }

  /** An old message of that platform, for saying it once more; `null`: there is none yet. */
  oldMessage({ key, emulated }: ChaosPlatform): Message | null {
    return this.#said.get(key)?.find(({ id }) => emulated.isAcknowledged(id)) ?? null;
  }

  /** Everything said, as the platforms see it now. */
  get said(): readonly Said[] {
    return this.#platforms.flatMap(({ key, emulated }) =>
      (this.#said.get(key) ?? []).map(({ id, text }) => {
        const isPromised =
          emulated.traits.recoversMissed || (emulated.traits.acknowledges && emulated.isAcknowledged(id));
        return { platform: key, text, isPromised };
      }),
    );
  }

  /** Nothing is said or sent until the returned is disposed. What is being said is said to its end. */
  hold(): Disposable {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    return { [Symbol.dispose]: () => gate.resolve() };
  }

  /** Nothing more is said or sent. */
  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#loops);
  }

  async #talk({ key, emulated }: ChaosPlatform): Promise<void> {
    const said: Message[] = [];
    this.#said.set(key, said);
    for (let number = 0; !this.#over.signal.aborted; number += 1) {
      const text = `${key}-${number}`;
      try {
        // Now and then elsewhere: a client fetches from where it has once spoken.
        const conversation = number % elsewherePeriod === 0 ? { conversation: emulated.otherConversation } : {};
        const id = await withDeadline(emulated.say({ text, ...conversation }), sayDeadlineMs, "Saying it");
        said.push({ text, id });
      } catch (reason) {
        this.troubles.push(`${text} could not be said: ${String(reason)}`);
      }
      await this.#pause(talkPeriodMs);
    }
  }

  async #send(): Promise<void> {
    const targets = this.#platforms.map(({ key, emulated }) => ({ key, conversation: emulated.otherConversation }));
    for (let number = 0; !this.#over.signal.aborted; number += 1) {
      const to = targets[number % targets.length];
      if (to === undefined) return;
      const text = `out-${number}`;
      const body = { target: `${to.key}/${to.conversation}`, text, idempotencyKey: text };
      try {
        const { status } = await this.#gateway.call("POST", "/v1/send", { body, signal: this.#over.signal });
        if (status === 202) this.accepted.push({ platform: to.key, text });
        else this.troubles.push(`${text} was answered with ${status}`);
      } catch {
        // The run is over while nobody answered: whoever sends would ask again, so nothing is promised.
      }
      await this.#pause(sendPeriodMs);
    }
  }

  async #pause(forMs: number): Promise<void> {
    await sleep(forMs, this.#over.signal).catch(() => {});
    await this.#gate;
  }
}
