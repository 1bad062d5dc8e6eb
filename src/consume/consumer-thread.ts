/** One thread of a module consumer, kept running: a new life follows each that ended, after a growing delay. */
import type { Delivery, Settlement } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Frame } from "../contract/frame.ts";
import type { Hosts, OpenRequest } from "../contract/host.ts";
import type { Logger } from "../support/logger.ts";
import { sleep } from "../support/time.ts";
import { ConsumerLife, type LifeEnd } from "./consumer-life.ts";
import { RestartDelay } from "./restart-delay.ts";

/** Where the thread is. */
export type ConsumerThreadState = "starting" | "running" | "backing_off" | "stopped";

/** What a thread works with. */
export type ConsumerThreadParts = {
  readonly hosts: Hosts;
  readonly logger: Logger;
  /** A request for the next life, with a generation of its own. @throws {GatewayError} when none can be numbered now. */
  readonly nextRequest: () => Omit<OpenRequest, "signal">;
  readonly onRunning: (thread: ConsumerThread) => void;
  readonly onSettled: (settlements: readonly Settlement[]) => void;
  readonly onFrame: (frame: Frame, life: ConsumerLife) => void;
  /** A life is over; `restartsInMs` until the next one, `null` when there is none. */
  readonly onEnded: (end: LifeEnd, restartsInMs: number | null) => void;
};

/** A supervised slot. Deliveries go to it only while it {@link ConsumerThread.isRunning}. */
export class ConsumerThread {
  readonly #parts: ConsumerThreadParts;
  readonly #delay = new RestartDelay();
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;
  #life: ConsumerLife | null = null;
  #state: ConsumerThreadState = "starting";

  constructor(parts: ConsumerThreadParts) {
    this.#parts = parts;
    this.#loop = this.#run();
  }

  get state(): ConsumerThreadState {
    return this.#life?.isRunning === true ? "running" : this.#state;
  }

  get isRunning(): boolean {
    return this.#life?.isRunning === true;
  }

  get hostPid(): number | null {
    return this.#life?.hostPid ?? null;
  }

  /** Whether it holds the delivery. */
  holds(receipt: string): boolean {
    return this.#life?.find(receipt) !== undefined;
  }

  /** Hands deliveries to the running thread. */
  deliver(deliveries: readonly Delivery[]): void {
    this.#life?.deliver(deliveries);
  }

  /** These are over their time; those that it does not hold are left alone. */
  expire(receipts: readonly string[]): void {
    this.#life?.expire(receipts);
  }

  /** No further lives; resolves when the present one is gone. */
  async stop(): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The consumer is being stopped"));
    await this.#life?.stop();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      this.#state = "starting";
      const end = await this.#live();
      const delayMs = this.#ended.signal.aborted ? null : this.#delay.next(end.ranMs);
      this.#state = delayMs === null ? "stopped" : "backing_off";
      this.#parts.onEnded(end, delayMs);
      if (delayMs === null) break;
      if (delayMs === 0) continue;
      await sleep(delayMs, this.#ended.signal).catch(() => {
        // Being stopped: the loop's condition ends it.
      });
    }
    this.#state = "stopped";
  }

  async #live(): Promise<LifeEnd> {
    try {
      const life = ConsumerLife.open(this.#parts.hosts, this.#parts.nextRequest(), {
        onRunning: () => this.#parts.onRunning(this),
        onSettled: this.#parts.onSettled,
        onFrame: this.#parts.onFrame,
      });
      this.#life = life;
      return await life.ended;
    } catch (reason) {
      return { error: GatewayError.from(reason), suspects: [], innocents: [], ranMs: 0 };
    } finally {
      this.#life = null;
    }
  }
}
