/** Runs the state machine of one runtime key: one event at a time, its effects in order, and every change is written down. */
import type { AdapterSpec } from "../contract/spec.ts";
import { Backoff } from "./backoff.ts";
import { GenerationRunner } from "./generation-runner.ts";
import { HostPlacement, type Standing } from "./host-placement.ts";
import type { Effect, Lifecycle, LifecycleEvent } from "./lifecycle-event.ts";
import { initialLifecycle, pausedLifecycle, transition, waitingLifecycle } from "./lifecycle.ts";
import { PauseRecord } from "./pause-record.ts";
import type { SupervisorContext } from "./supervisor-context.ts";
import type { Remembered } from "./supervision-store.ts";
import { Timeline } from "./timeline.ts";

/** What a driver works with. */
export type DriverOptions = {
  readonly key: string;
  readonly context: SupervisorContext;
  readonly remembered: Remembered;
  /** The spec as it is now; `null`: nothing is to run. */
  readonly spec: () => AdapterSpec | null;
  /** After each event and its effects. */
  readonly onStep: () => void;
};

/** One key's lifecycle, and what it needs to act. */
export class LifecycleDriver {
  readonly backoff: Backoff;
  readonly placement: HostPlacement;
  readonly pauseRecord: PauseRecord;
  readonly runner: GenerationRunner;
  readonly timeline = new Timeline();
  readonly #options: DriverOptions;
  readonly #events: LifecycleEvent[] = [];
  #lifecycle: Lifecycle;
  #isDispatching = false;

  constructor(options: DriverOptions) {
    const { key, context, remembered } = options;
    const { logger, store, random } = context;
    this.#options = options;
    this.#lifecycle = initialLifecycle(context.now());
    this.backoff = new Backoff({ key, store, random, remembered: remembered.backoff });
    this.placement = new HostPlacement({
      key,
      store,
      blame: context.blame,
      remembered: remembered.placement,
      standing: () => this.#standing(),
      now: context.now,
      logger,
    });
    this.pauseRecord = new PauseRecord({ key, store, remembered: remembered.pause });
    this.runner = new GenerationRunner({
      key,
      context,
      placement: this.placement,
      lifecycle: () => this.#lifecycle,
      spec: options.spec,
      dispatch: (event) => this.dispatch(event),
      onStable: () => this.backoff.markHealthy(),
    });
  }

  /** As of the last event. */
  get lifecycle(): Lifecycle {
    return this.#lifecycle;
  }

  /** Connected, or its library is at it: it takes sends and policies. */
  get isConnected(): boolean {
    return this.#lifecycle.state === "running" || this.#lifecycle.state === "reconnecting";
  }

  /** The first spec: at once, unless an earlier coordinator ended while this key was paused or waited for a retry. */
  begin(spec: AdapterSpec): void {
    const { pause } = this.pauseRecord;
    if (pause !== null) {
      this.#lifecycle = pausedLifecycle(pause.sinceMs);
      this.#record();
      return this.#options.onStep();
    }
    const nowMs = this.#options.context.now();
    const last = this.backoff.recall(spec, nowMs);
    if (last === null) return this.dispatch({ kind: "run", reason: "config_changed" });
    this.#lifecycle = waitingLifecycle(nowMs, last.reason);
    this.#record();
    this.dispatch({ kind: "retry_planned", atMs: last.nextRetryAtMs, needsAttention: last.needsAttention });
  }

  /** Something happened. What comes while an event is handled waits its turn: an effect may fail at once. */
  dispatch(event: LifecycleEvent): void {
    this.#events.push(event);
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#isDispatching = false;
    }
  }

  #step(event: LifecycleEvent): void {
    const before = this.#lifecycle;
    const { lifecycle, effects } = transition(before, event, this.#options.context.now());
    this.#lifecycle = lifecycle;
    // The deadline of a step that is over must not fire in the next one; a step that has one arms it below.
    if (lifecycle.state !== before.state) this.runner.disarm();
    for (const effect of effects) this.#perform(effect);
    if (lifecycle.state !== before.state || lifecycle.reason !== before.reason) this.#record();
    this.#options.onStep();
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "open":
        if (this.runner.lastGeneration > 0) this.timeline.countRestart(effect.cause);
        return this.runner.open();
      case "ask":
        return this.runner.ask();
      case "terminate":
        return this.runner.terminate();
      case "condemn":
        return this.runner.condemn();
      case "await_retry":
        return this.runner.awaitRetry(effect.atMs);
      case "clear_streak":
        return this.backoff.clear();
      case "plan_retry": {
        const spec = this.#options.spec();
        if (spec === null) return;
        const nowMs = this.#options.context.now();
        const plan = this.backoff.plan(effect.failure, spec, nowMs);
        return this.dispatch({
          kind: "retry_planned",
          atMs: nowMs + plan.delayMs,
          needsAttention: plan.needsAttention,
        });
      }
    }
  }

  #standing(): Standing | null {
    const settings = this.runner.life?.spec.supervisor ?? this.#options.spec()?.supervisor;
    if (settings === undefined) return null;
    const { lastSample } = this.runner.observer.measurements;
    return { state: this.#lifecycle.state, lastSample, settings: this.#options.spec()?.supervisor ?? settings };
  }

  #record(): void {
    const { key, context } = this.#options;
    const { state, reason, message } = this.#lifecycle;
    const generation = this.runner.lastGeneration === 0 ? null : this.runner.lastGeneration;
    const entry = { at: new Date(context.now()).toISOString(), generation, state, reason, message };
    this.timeline.push(entry);
    context.logger.info("adapter-state", { key, generation, state, reason, message });
    context.onChange(key, entry);
  }
}
