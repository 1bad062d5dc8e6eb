/** One life of a consumer's thread: opened, loaded, running, gone. */
import type { Delivery, Settlement } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import { frameKinds, type Frame } from "../contract/frame.ts";
import type { GenerationHandle, GenerationListener, Hosts, OpenRequest } from "../contract/host.ts";
import { frameMessageLimit, type DeliverMeta, type ExitedMeta } from "../contract/protocol.ts";
import { StepTimer } from "../support/step-timer.ts";
import { after } from "../support/time.ts";
import { parseSettlements } from "./settle-frame.ts";
import { crashOf } from "./thread-crash.ts";

const loadDeadlineMs = 30_000;
/** From the abort of a handler's signal to the end of its thread. */
const abortGraceMs = 2000;
const stopDeadlineMs = 2000;
/** A thread that outlives `terminate()` by this is ended with its host. */
const killDeadlineMs = 5000;
/** What is still on its way when a thread's end is told is on its way for no longer than this. */
const drainDeadlineMs = 2000;
const frameBytes = 8_388_608;

/** How a life ended. `suspects` may have caused it: their attempts count. */
export type LifeEnd = {
  readonly error: GatewayError;
  readonly suspects: readonly string[];
  readonly innocents: readonly string[];
  readonly ranMs: number;
};

/** What the thread's owner is told while it lives. */
export type LifeListener = {
  onRunning(): void;
  onSettled(settlements: readonly Settlement[]): void;
  /** `request` and `event` frames, but for `loaded`. */
  onFrame(frame: Frame, life: ConsumerLife): void;
};

/** Ask for one by {@link ConsumerLife.open}; it is over when {@link ConsumerLife.ended} resolves. */
export class ConsumerLife {
  readonly ended: Promise<LifeEnd>;
  readonly #end = Promise.withResolvers<LifeEnd>();
  readonly #listener: LifeListener;
  readonly #inFlight = new Map<string, Delivery>();
  readonly #timedOut = new Set<string>();
  readonly #timers = new Set<Disposable>();
  readonly #aborted = new AbortController();
  readonly #loadTimer = new StepTimer();
  #handle: GenerationHandle | null = null;
  #runningSinceMs: number | null = null;
  #cause: GatewayError | null = null;
  #isMoved = false;
  #isExited = false;
  #isDrained = false;

  private constructor(listener: LifeListener) {
    this.#listener = listener;
    this.ended = this.#end.promise;
  }

  /** Opens a generation. Never rejects: a thread that could not be opened has ended. */
  static open(hosts: Hosts, request: Omit<OpenRequest, "signal">, listener: LifeListener): ConsumerLife {
    const life = new ConsumerLife(listener);
    void life.#open(hosts, request);
    return life;
  }

  get hostPid(): number | null {
    return this.#handle?.hostPid ?? null;
  }

  get isRunning(): boolean {
    return this.#runningSinceMs !== null && this.#cause === null && !this.#isExited;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** The delivery behind a receipt that this thread holds. */
  find(receipt: string): Delivery | undefined {
    return this.#inFlight.get(receipt);
  }

  /** Hands deliveries to the thread, in as few frames as fit. */
  deliver(deliveries: readonly Delivery[]): void {
    let metas: DeliverMeta["deliveries"][number][] = [];
    let payloads: Uint8Array[] = [];
    let bytes = 0;
    const flush = (): void => {
      if (metas.length > 0) this.#handle?.send(frameKinds.deliver, { deliveries: metas, abort: [] }, payloads);
      metas = [];
      payloads = [];
      bytes = 0;
    };
    for (const delivery of deliveries) {
      const { receipt, attempt, redelivered, payload, senderIsAuthority, bindingSettings } = delivery;
      this.#inFlight.set(receipt, delivery);
      if (metas.length === frameMessageLimit || bytes + payload.length > frameBytes) flush();
      metas.push({ receipt, attempt, redelivered, bytes: payload.length, senderIsAuthority, bindingSettings });
      payloads.push(payload);
      bytes += payload.length;
    }
    flush();
  }

  /** Aborts these handlers; those that go on for two more seconds end the thread. */
  expire(receipts: readonly string[]): void {
    const abort = receipts.filter((receipt) => this.#inFlight.has(receipt));
    if (abort.length === 0) return;
    this.#handle?.send(frameKinds.deliver, { deliveries: [], abort });
    this.#later(abortGraceMs, () => {
      const stuck = abort.filter((receipt) => this.#inFlight.has(receipt));
      if (stuck.length === 0) return;
      for (const receipt of stuck) this.#timedOut.add(receipt);
      this.#terminate(new GatewayError("timeout", "The handler went on after its time and the abort of its signal"));
    });
  }

  /** An answer to one of its requests. */
  answer(meta: unknown): void {
    this.#handle?.send(frameKinds.answer, meta);
  }

  /** Asks it to end, and makes it; resolves when it is gone. What it still holds is its owner's to release first. */
  async stop(): Promise<void> {
    const reason = new GatewayError("adapter_unavailable", "The consumer is being stopped");
    // What still handles something has had its time; it may not even listen.
    if (this.isRunning && this.#inFlight.size === 0 && this.#handle !== null) {
      this.#cause = reason;
      const options = { deadlineMs: stopDeadlineMs, signal: this.#aborted.signal };
      await this.#handle.call("stop", {}, options).catch(() => {
        // Whatever it answered, it is ended next.
      });
    }
    this.#terminate(reason);
    await this.ended;
  }

  async #open(hosts: Hosts, request: Omit<OpenRequest, "signal">): Promise<void> {
    this.#awaitLoad(0);
    try {
      const { signal } = this.#aborted;
      this.#handle = await hosts.open({ ...request, signal }, this.#generationListener());
      if (this.#cause !== null) this.#handle.terminate();
    } catch (reason) {
      this.#finish(GatewayError.from(reason), []);
    }
  }

  /** Its time begins in `delayMs`. */
  #awaitLoad(delayMs: number): void {
    this.#loadTimer.arm(delayMs + loadDeadlineMs, () => {
      if (this.#runningSinceMs === null)
        this.#terminate(new GatewayError("timeout", `The module was not loaded within ${loadDeadlineMs} ms`));
    });
  }

  #generationListener(): GenerationListener {
    return {
      onHostDelayed: (delayMs) => this.#awaitLoad(delayMs),
      onFrame: (frame) => this.#onFrame(frame),
      onSample: () => {},
      onDrained: () => {
        this.#isDrained = true;
        if (this.#isExited) this.#finish(this.#cause ?? crashOf(null), this.#suspects());
      },
      onExited: (exit) => this.#onExited(exit),
      onHostGone: ({ cause, detail }) => {
        const error = new GatewayError("worker_crashed", `The consumer's host ${cause}: ${detail}`);
        this.#finish(this.#cause ?? error, this.#suspects());
      },
      onEvacuate: () => {
        this.#isMoved = true;
        this.#terminate(new GatewayError("worker_crashed", "The consumer's host must end for another thread's sake"));
      },
    };
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === frameKinds.data) {
      let settlements: readonly Settlement[];
      try {
        settlements = parseSettlements(frame);
      } catch (reason) {
        this.#terminate(GatewayError.from(reason));
        return;
      }
      // A receipt that this thread does not hold is not its to settle.
      this.#listener.onSettled(settlements.filter(({ receipt }) => this.#inFlight.delete(receipt)));
      return;
    }
    if (frame.kind === frameKinds.event && this.#runningSinceMs === null && isLoaded(frame)) {
      this.#runningSinceMs = performance.now();
      if (this.#cause === null) this.#listener.onRunning();
      return;
    }
    this.#listener.onFrame(frame, this);
  }

  #onExited(exit: ExitedMeta): void {
    this.#isExited = true;
    this.#cause ??= crashOf(exit);
    const finish = (): void => this.#finish(this.#cause ?? crashOf(exit), this.#suspects());
    // What it said before its end comes before `drained`; only a thread that never began leaves that out.
    if (this.#isDrained || exit.cause === "open_failed") finish();
    else this.#later(drainDeadlineMs, finish);
  }

  #terminate(reason: GatewayError): void {
    this.#cause ??= reason;
    if (this.#isExited) return;
    this.#aborted.abort(reason);
    this.#handle?.terminate();
    this.#later(killDeadlineMs, () => {
      if (!this.#isExited) this.#handle?.condemnHost(reason.message);
    });
  }

  #later(delayMs: number, run: () => void): void {
    const timer = after(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  /** Who may have caused the end: those over their time; where none is, everyone, unless the end was another's doing. */
  #suspects(): readonly string[] {
    if (this.#isMoved) return [];
    return this.#timedOut.size > 0 ? [...this.#timedOut] : [...this.#inFlight.keys()];
  }

  #finish(error: GatewayError, suspects: readonly string[]): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
    this.#loadTimer.disarm();
    this.#isExited = true;
    const ranMs = this.#runningSinceMs === null ? 0 : performance.now() - this.#runningSinceMs;
    const held = suspects.filter((receipt) => this.#inFlight.has(receipt));
    const innocents = [...this.#inFlight.keys()].filter((receipt) => !held.includes(receipt));
    this.#inFlight.clear();
    this.#end.resolve({ error, suspects: held, innocents, ranMs });
  }
}

function isLoaded(frame: Frame): boolean {
  return frame.meta.length < 64 && Buffer.from(frame.meta).includes('"loaded"');
}
