/** Events between the gateway and the journal: in order, a bounded number of them, and none forgotten without being counted. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { sleep } from "../../src/support/time.ts";
import type { Mark } from "./resume-keeper.ts";

/** One event. `occurrence`: its place in its session, the same when Discord sends it again; `""` where there is none. */
export type InboxEvent = { readonly type: string; readonly data: unknown; readonly occurrence?: string };

/** What becomes of an event. `onAccepted` is called once it is on disk. */
export type Translated = { readonly message: EmittedMessage; readonly onAccepted?: () => void };

/** What an inbox works with. */
export type InboxParts = {
  readonly translate: (event: InboxEvent) => Promise<readonly Translated[]>;
  readonly emit: (messages: readonly EmittedMessage[]) => Promise<unknown>;
  /** Everything up to `mark` was accepted, or counted. */
  readonly onMark: (mark: Mark) => void;
  readonly onMissed: (event: InboxEvent) => void;
  /** An event that makes no sense, or a message that the gateway will never take. */
  readonly onRefused: (event: InboxEvent, reason: unknown) => void;
  readonly signal: AbortSignal;
};

type Item = { readonly event: InboxEvent; mark: Mark };
type Pending = Translated & { readonly event: InboxEvent };

const batchSize = 64;
/** Beyond it the oldest is dropped: Discord cannot be told to wait, and this thread's memory is bounded. */
const mostWaiting = 4_096;
const firstRetryMs = 250;
const longestRetryMs = 5_000;

/** One generation's events. */
export class Inbox {
  readonly #parts: InboxParts;
  #waiting: Item[] = [];
  #isPumping = false;
  #isHeld = false;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** An event that may become messages. */
  push(event: InboxEvent, mark: Mark): void {
    this.#waiting.push({ event, mark });
    if (this.#waiting.length > mostWaiting) {
      this.#drop(this.#waiting.shift());
    }
    this.#pump();
  }

  /** Something that becomes no message, but counts as received. */
  pass(mark: Mark): void {
    const last = this.#waiting.at(-1);
    if (last !== undefined) last.mark = mark;
    else if (this.#isPumping || this.#isHeld) this.#waiting.push({ event: { type: "", data: null }, mark });
    else this.#parts.onMark(mark);
  }

  /** Nothing more is taken until {@link Inbox.release}: what is older comes first. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#pump();
  }

  /** Hands what an event became over until it is taken, or the generation ends; what is never taken is counted. */
  async accept(event: InboxEvent, translated: readonly Translated[]): Promise<void> {
    await this.#accept(translated.map((each) => ({ ...each, event })));
  }

  #drop(item: Item | undefined): void {
    if (item !== undefined && item.event.type !== "") this.#parts.onMissed(item.event);
  }

  #pump(): void {
    if (this.#isPumping || this.#isHeld || this.#waiting.length === 0 || this.#parts.signal.aborted) return;
    this.#isPumping = true;
    void this.#run().finally(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isHeld && !this.#parts.signal.aborted) {
      const batch = this.#waiting.slice(0, batchSize);
      this.#waiting = this.#waiting.slice(batch.length);
      try {
        await this.#take(batch);
      } catch (reason) {
        // The generation has ended; whatever was not accepted is sent again to the next one.
        if (this.#parts.signal.aborted) return;
        this.#parts.onRefused(batch[0]?.event ?? { type: "", data: null }, reason);
      }
    }
  }

  async #take(batch: readonly Item[]): Promise<void> {
    const pending: Pending[] = [];
    for (const { event } of batch)
      for (const translated of await this.#translate(event)) pending.push({ ...translated, event });
    await this.#accept(pending);
    const last = batch.at(-1);
    if (last !== undefined) this.#parts.onMark(last.mark);
  }

  async #accept(pending: readonly Pending[]): Promise<void> {
    if (pending.length === 0) return;
    const messages = pending.map(({ message }) => message);
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, longestRetryMs)) {
      try {
        await this.#parts.emit(messages);
        for (const { onAccepted } of pending) onAccepted?.();
        return;
      } catch (reason) {
        const error = GatewayError.from(reason);
        this.#parts.signal.throwIfAborted();
        if (error.retry.kind === "never") return this.#acceptEach(pending, error);
        await sleep(error.retry.kind === "after" ? error.retry.delayMs : delayMs, this.#parts.signal);
      }
    }
  }

  async #translate(event: InboxEvent): Promise<readonly Translated[]> {
    if (event.type === "") return [];
    try {
      return await this.#parts.translate(event);
    } catch (reason) {
      this.#parts.onRefused(event, reason);
      return [];
    }
  }

  /** One message that is malformed must not take its neighbours with it. */
  async #acceptEach(pending: readonly Pending[], error: GatewayError): Promise<void> {
    const [first] = pending;
    if (pending.length === 1 && first !== undefined) {
      this.#parts.onMissed(first.event);
      this.#parts.onRefused(first.event, error);
      return;
    }
    for (const each of pending) await this.#accept([each]);
  }
}
