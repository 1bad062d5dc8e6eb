/**
 * A consumer that is a module of the user's: threads in a host process of its own, deliveries spread over them by lane.
 * It is attached to flow while at least one thread runs or is about to; otherwise its messages wait in the journal.
 */
import type { ConsumerLine, ConsumerPort, Delivery, Dispatcher, Settlement } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import { frameKinds, parseMeta, type Frame } from "../contract/frame.ts";
import type { Hosts } from "../contract/host.ts";
import type { RequestMeta } from "../contract/protocol.ts";
import type { ConsumerSpec } from "../contract/spec.ts";
import type { Logger } from "../support/logger.ts";
import type { ConsumerLife, LifeEnd } from "./consumer-life.ts";
import type { ConsumerServices } from "./consumer-services.ts";
import { ConsumerThread, type ConsumerThreadState } from "./consumer-thread.ts";
import { takeThreadEvent, type ThreadEventSinks } from "./event-log.ts";
import { answerRequest } from "./handler-requests.ts";
import { threadOfLane } from "./lane-hash.ts";

/** What a module consumer is made of. `spec.target` is a module. */
export type ModuleConsumerOptions = {
  readonly spec: ConsumerSpec;
  readonly moduleUrl: string;
  readonly hosts: Hosts;
  readonly dispatcher: Dispatcher;
  readonly services: ConsumerServices;
  readonly logger: Logger;
  /** @throws {GatewayError} when none can be given now. */
  readonly nextGeneration: () => number;
  /** A thread has loaded the module, which declares these. Not called any more once it is being stopped. */
  readonly onCommands: ThreadEventSinks["onCommands"];
  /** V8's limit for each thread. */
  readonly heapLimitMb: number;
};

/** See the file's head. */
export class ModuleConsumer implements ConsumerPort, AsyncDisposable {
  readonly name: string;
  readonly #options: ModuleConsumerOptions;
  readonly #eventSinks: ThreadEventSinks;
  readonly #threads: readonly ConsumerThread[];
  /** Handed out while every thread is on its way back. */
  #waiting: Delivery[] = [];
  #line: ConsumerLine | null = null;
  #detaching: Promise<void> = Promise.resolve();
  readonly #firstOutcome = Promise.withResolvers<string | null>();
  #isStopped = false;
  #error: string | null = null;

  private constructor(options: ModuleConsumerOptions) {
    this.name = options.spec.name;
    this.#options = options;
    this.#eventSinks = {
      logger: options.logger,
      consumer: this.name,
      onCommands: (commands) => (this.#isStopped ? undefined : options.onCommands(commands)),
    };
    this.#threads = Array.from({ length: Math.max(1, options.spec.threads) }, () => this.#createThread());
  }

  /** Starts its threads; attached once the first one has loaded the module. */
  static start(options: ModuleConsumerOptions): ModuleConsumer {
    return new ModuleConsumer(options);
  }

  get inFlight(): number {
    return this.#line?.inFlight ?? 0;
  }

  /** The process its threads live in; `null` while there is none. */
  get hostPid(): number | null {
    return this.#threads.find(({ hostPid }) => hostPid !== null)?.hostPid ?? null;
  }

  /** The best that any of its threads is in. */
  get state(): ConsumerThreadState {
    const states = this.#threads.map(({ state }) => state);
    const order = ["running", "starting", "backing_off"] as const;
    return order.find((state) => states.includes(state)) ?? "stopped";
  }

  /** Why its last thread ended; `null` once one runs again. */
  get error(): string | null {
    return this.#error;
  }

  /** How its first start went: `null` once a thread runs, else why the first thread that ended did not come to that. */
  get firstOutcome(): Promise<string | null> {
    return this.#firstOutcome.promise;
  }

  deliver(deliveries: readonly Delivery[]): void {
    const [only] = this.#threads;
    if (this.#threads.length === 1 && only?.isRunning === true) {
      only.deliver(deliveries);
      return;
    }
    const shares = new Map<ConsumerThread, Delivery[]>();
    for (const delivery of deliveries) {
      const thread = this.#threadFor(delivery);
      if (thread === null) {
        this.#waiting.push(delivery);
        continue;
      }
      const share = shares.get(thread);
      if (share === undefined) shares.set(thread, [delivery]);
      else share.push(delivery);
    }
    for (const [thread, share] of shares) thread.deliver(share);
  }

  expire(receipts: readonly string[]): void {
    const expired = new Set(receipts);
    const unseen = this.#waiting.filter(({ receipt }) => expired.has(receipt));
    if (unseen.length > 0) {
      this.#waiting = this.#waiting.filter(({ receipt }) => !expired.has(receipt));
      // No handler has seen them: their time was lost to a thread on its way back.
      this.#release(
        unseen.map(({ receipt }) => receipt),
        false,
        null,
      );
    }
    for (const thread of this.#threads) thread.expire(receipts);
  }

  /** Takes nothing more; handlers in flight may finish until the deadline. Resolves when its threads are gone. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    const line = this.#line;
    await this.#detaching;
    await line?.detach(deadlineMs);
    this.#line = null;
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }

  /** Like {@link ModuleConsumer.stop} at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
  }

  #createThread(): ConsumerThread {
    const { spec, moduleUrl, hosts, logger, nextGeneration, heapLimitMb } = this.#options;
    return new ConsumerThread({
      hosts,
      logger,
      nextRequest: () => {
        const generation = nextGeneration();
        return {
          key: `consumer:${spec.name}`,
          entry: "consumer",
          moduleUrl,
          heapLimitMb,
          init: { name: spec.name, generation, timeoutMs: spec.timeoutMs },
          generation,
          placement: "consumer",
        };
      },
      onRunning: () => this.#onRunning(),
      onSettled: (settlements) => this.#settle(settlements),
      onFrame: (frame, life) => this.#onFrame(frame, life),
      onEnded: (end, restartsInMs) => this.#onEnded(end, restartsInMs),
    });
  }

  #threadFor({ key, conversation }: Delivery): ConsumerThread | null {
    const thread = this.#threads[threadOfLane(key, conversation, this.#threads.length)];
    if (thread?.isRunning === true) return thread;
    return this.#threads.find(({ isRunning }) => isRunning) ?? null;
  }

  #onRunning(): void {
    this.#error = null;
    this.#firstOutcome.resolve(null);
    this.#options.logger.info("consumer-running", { consumer: this.name });
    const waiting = this.#waiting;
    this.#waiting = [];
    this.deliver(waiting);
    void this.#attach();
  }

  async #attach(): Promise<void> {
    await this.#detaching;
    if (this.#line !== null || this.#isStopped || !this.#threads.some(({ isRunning }) => isRunning)) return;
    const { concurrency, timeoutMs, maxAttempts } = this.#options.spec;
    this.#line = this.#options.dispatcher.attach(this, { concurrency, timeoutMs, maxAttempts });
  }

  #onEnded({ error, suspects, innocents }: LifeEnd, restartsInMs: number | null): void {
    this.#release(innocents, false, null);
    this.#release(suspects, true, error);
    this.#firstOutcome.resolve(error.message);
    if (this.#isStopped) return;
    this.#error = error.message;
    const lost = { suspects: suspects.length, innocents: innocents.length };
    this.#options.logger.error("consumer-thread-ended", {
      consumer: this.name,
      error: error.message,
      restartsInMs,
      ...lost,
    });
    const isComing =
      restartsInMs === 0 || this.#threads.some(({ state }) => state === "running" || state === "starting");
    if (isComing || this.#line === null) return;
    // Nobody handles anything for a while: what is under lease here would only time out.
    this.#detaching = this.#line.detach(0);
    this.#line = null;
    this.#waiting = [];
  }

  #onFrame(frame: Frame, life: ConsumerLife): void {
    if (frame.kind === frameKinds.request) void this.#onRequest(frame, life);
    else takeThreadEvent(frame, this.#eventSinks);
  }

  async #onRequest(frame: Frame, life: ConsumerLife): Promise<void> {
    let id = 0;
    try {
      const request = parseMeta(frame) as RequestMeta;
      if (!Number.isInteger(request.id) || request.id < 0)
        throw new GatewayError("invalid_request", "A request has no id");
      ({ id } = request);
      if (this.#line === null)
        throw new GatewayError("conflict", "Cannot answer the handler: its consumer is stopping");
      const parts = { line: this.#line, services: this.#options.services };
      const value = await answerRequest(request, (receipt) => life.find(receipt), parts);
      if (id !== 0) life.answer({ id, outcome: { ok: true, value } });
    } catch (reason) {
      const error = GatewayError.from(reason).toReport();
      if (id !== 0) life.answer({ id, outcome: { ok: false, error } });
      else this.#options.logger.warn("handler-request-refused", { consumer: this.name, error: error.message });
    }
  }

  #settle(settlements: readonly Settlement[]): void {
    this.#line?.settle(settlements).catch((reason: unknown) => {
      // Flow goes on trying until it is on disk; this is the end of its line.
      this.#options.logger.warn("settlement-not-written", {
        consumer: this.name,
        error: GatewayError.from(reason).message,
      });
    });
  }

  #release(receipts: readonly string[], countAttempt: boolean, error: GatewayError | null): void {
    if (receipts.length > 0) this.#line?.release(receipts, { countAttempt, error: error?.toReport() ?? null });
  }
}
