/** Opens and ends the generations of one runtime key, one at a time, each step under its deadline. */
import { GatewayError } from "../contract/errors.ts";
import type { StartedValue } from "../contract/protocol.ts";
import type { AdapterSpec } from "../contract/spec.ts";
import { StepTimer } from "../support/step-timer.ts";
import { failure, failureOfError } from "./failure.ts";
import { GenerationLife } from "./generation-life.ts";
import { GenerationObserver } from "./generation-observer.ts";
import type { HostPlacement } from "./host-placement.ts";
import type { Lifecycle, LifecycleEvent } from "./lifecycle-event.ts";
import { SuspectStart } from "./suspect-start.ts";
import type { SupervisorContext } from "./supervisor-context.ts";

/** What a runner works with. */
export type RunnerOptions = {
  readonly key: string;
  readonly context: SupervisorContext;
  readonly placement: HostPlacement;
  readonly lifecycle: () => Lifecycle;
  readonly spec: () => AdapterSpec | null;
  readonly dispatch: (event: LifecycleEvent) => void;
  /** It has been `running` for `stable_after_ms`. */
  readonly onStable: () => void;
};

/** The live generation (`null`: none), its number, what its module declared, and the last number this key had (0: none). */
export type PresentGeneration = {
  readonly life: GenerationLife | null;
  readonly live: number | null;
  readonly started: StartedValue | null;
  readonly last: number;
};

/** The hands of one supervisor. */
export class GenerationRunner {
  /** The generation whose word counts; `null`: none. */
  life: GenerationLife | null = null;
  lastGeneration = 0;
  /** What is seen of it. */
  readonly observer: GenerationObserver;
  /** Threads in our own process that could not be ended, and since when. */
  readonly leaked = new Map<GenerationLife, number>();
  readonly #options: RunnerOptions;
  readonly #timer = new StepTimer();
  #reserved: number | null = null;
  #suspectStart: SuspectStart | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.observer = new GenerationObserver({
      ...options,
      current: () => this.life,
      onOpening: (life, delayMs) => this.#armStart(life, delayMs),
      onGone: (life) => this.#forget(life),
    });
  }

  get present(): PresentGeneration {
    const { life, lastGeneration: last } = this;
    return { life, live: life?.generation ?? null, started: life?.started ?? null, last };
  }

  /** The number the next generation will have. @throws {GatewayError} `journal_unavailable`. */
  reserveGeneration(): number {
    this.#reserved ??= this.#options.context.generations.next();
    return this.#reserved;
  }

  /** Opens the next generation. The last one is gone by now: the machine sees to that. */
  open(): void {
    const { context, placement } = this.#options;
    const spec = this.#options.spec();
    // The deadline of the last generation's end must not become this one's.
    this.disarm();
    if (spec === null) return;
    let generation: number;
    try {
      generation = this.reserveGeneration();
    } catch (reason) {
      const cause = failureOfError(GatewayError.from(reason), "start_failed");
      this.#options.dispatch({ kind: "gone", failure: cause, isCounted: true });
      return;
    }
    this.#reserved = null;
    this.lastGeneration = generation;
    this.observer.begin();
    const { slots, suspectTurns } = context;
    const place = placement.choose(spec.supervisor);
    if (place.placement === "shared" && placement.isSuspect(context.now()))
      this.#suspectStart = new SuspectStart({ turns: suspectTurns, slots });
    this.life = new GenerationLife({
      generation,
      spec,
      ...place,
      hosts: context.hosts,
      slots: this.#suspectStart ?? slots,
      owner: this.observer,
      commands: () => context.commands(this.#options.key),
    });
  }

  /** Asks the adapter to stop, for `stop_timeout_ms`. */
  ask(): void {
    const { life } = this;
    if (life === null) return;
    const { stopTimeoutMs } = life.spec.supervisor;
    this.#timer.arm(stopTimeoutMs, () => {
      const { key, context } = this.#options;
      context.logger.warn("adapter-stop-timeout", { key, generation: life.generation, stopTimeoutMs });
      this.#options.dispatch({ kind: "deadline" });
    });
    life.ask(stopTimeoutMs);
  }

  /** Ends the thread, waiting for `kill_timeout_ms`. */
  terminate(): void {
    const { life } = this;
    if (life === null) return;
    this.#timer.arm(life.spec.supervisor.killTimeoutMs, () => this.#options.dispatch({ kind: "deadline" }));
    life.terminate();
  }

  /** The thread survived. In our own process it can only be abandoned; anywhere else its host goes. */
  condemn(): void {
    const { life } = this;
    if (life === null) return;
    const { key, context } = this.#options;
    context.logger.error("thread-unkillable", { key, generation: life.generation, hostPid: life.host?.pid ?? null });
    if (life.host?.kind !== "inline") {
      life.condemn(`Generation ${life.generation} of "${key}" survived terminate()`);
      return;
    }
    this.leaked.set(life, context.now());
    if (life.started?.overlap !== true) return;
    this.life = null;
    this.observer.end();
    const cause = failure(this.#options.lifecycle().reason, "Its thread was abandoned");
    this.#options.dispatch({ kind: "gone", failure: cause, isCounted: false });
  }

  /** Opens again at `atMs`, as soon as the bucket lets it. */
  awaitRetry(atMs: number): void {
    const { context, dispatch, lifecycle } = this.#options;
    this.#timer.arm(atMs - context.now(), () => {
      const waitMs = context.bucket.reserve(context.now());
      if (waitMs === 0) return dispatch({ kind: "retry_due" });
      // Its token is reserved: the second wait ends without asking again.
      const needsAttention = lifecycle().state === "needs_attention";
      dispatch({ kind: "retry_planned", atMs: context.now() + waitMs, needsAttention });
      this.#timer.arm(waitMs, () => dispatch({ kind: "retry_due" }));
    });
  }

  /** The step that was waited for is over, and so is a start. */
  disarm(): void {
    this.#timer.disarm();
    this.#suspectStart?.[Symbol.dispose]();
    this.#suspectStart = null;
  }

  /** Its time begins in `delayMs`. */
  #armStart(life: GenerationLife, delayMs: number): void {
    if (delayMs > 0) this.#suspectStart?.extend(delayMs);
    const deadlineMs = delayMs + life.spec.supervisor.startTimeoutMs;
    this.#timer.arm(deadlineMs, () => this.#options.dispatch({ kind: "deadline" }));
  }

  #forget(life: GenerationLife): void {
    this.leaked.delete(life);
    if (life === this.life) this.life = null;
  }
}
