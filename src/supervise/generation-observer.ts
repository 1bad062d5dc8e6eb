/** Turns what one runtime key's generations do into events of its state machine. A generation that is not the present one is not heard. */
import { GatewayError } from "../contract/errors.ts";
import { frameKinds, type Frame } from "../contract/frame.ts";
import type { Evacuation } from "../contract/host.ts";
import type { ThreadSample } from "../contract/protocol.ts";
import { describeRivals, failure, failureOfError, failureOfExit, failureOfHost, type Failure } from "./failure.ts";
import type { GenerationLife } from "./generation-life.ts";
import type { RunnerOptions } from "./generation-runner.ts";
import type { LifeEnd, LifeOwner } from "./life-owner.ts";
import type { LifecycleEvent } from "./lifecycle-event.ts";
import { Measurements } from "./measurements.ts";
import { Prober } from "./prober.ts";
import { parseEvent } from "./thread-report.ts";
import { Watchdog } from "./watchdog.ts";

/** What an observer works with. */
export type ObserverOptions = RunnerOptions & {
  /** The generation whose word counts. */
  readonly current: () => GenerationLife | null;
  /** It has its slot: the time for its start runs from here. */
  readonly onOpening: (life: GenerationLife, delayMs: number) => void;
  /** Any generation, the present or an abandoned one, is gone. */
  readonly onGone: (life: GenerationLife) => void;
};

/** The eyes and ears of one supervisor. */
export class GenerationObserver implements LifeOwner {
  /** When a transport frame and an inbound message were last seen; milliseconds since the epoch. */
  frameAtMs: number | null = null;
  eventAtMs: number | null = null;
  readonly measurements = new Measurements();
  prober = new Prober();
  readonly #options: ObserverOptions;
  #watchdog = new Watchdog();

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** A new generation is opened: nothing is known of it. */
  begin(): void {
    this.#watchdog = new Watchdog();
    this.prober = new Prober();
  }

  /** The present generation is gone or abandoned. */
  end(): void {
    this.measurements.onGone();
  }

  onOpening(life: GenerationLife, delayMs: number): void {
    if (this.#isStarting(life)) this.#options.onOpening(life, delayMs);
  }

  onStarted(life: GenerationLife): void {
    if (!this.#isStarting(life)) return;
    this.#watchdog.onStarted(this.#options.context.now());
    this.#options.dispatch({ kind: "started" });
  }

  onStartRejected(life: GenerationLife, error: GatewayError): void {
    // A thread that died tells why by its exit, which is on its way.
    if (!this.#isStarting(life) || error.code === "worker_crashed") return;
    const cause = failureOfError(error, "start_failed");
    this.#fail({ kind: "failed", failure: cause, by: cause.reason === "start_timeout" ? "ask" : "terminate" });
  }

  onFrame(life: GenerationLife, frame: Frame): void {
    if (life !== this.#options.current()) return;
    if (frame.kind === frameKinds.event) return this.#onEvent(life, frame);
    if (frame.kind === frameKinds.data) {
      const nowMs = this.#options.context.now();
      this.eventAtMs = nowMs;
      this.#onTransportFrame(nowMs);
    }
    this.#options.context.onFrame(this.#options.key, life.generation, frame);
  }

  onSample(life: GenerationLife, sample: ThreadSample): void {
    if (life !== this.#options.current()) return;
    const { context } = this.#options;
    const lifecycle = this.#options.lifecycle();
    const nowMs = context.now();
    this.measurements.onSample(sample, nowMs);
    if (lifecycle.state === "unkillable") return;
    const settings = this.#settings(life);
    if (lifecycle.state === "stopping") {
      // Asked already, also where that was for its memory. One that grows on meanwhile must not have the time of its stop.
      const excess = this.#watchdog.judgeMemory(sample, settings);
      if (excess?.kind === "failed" && excess.by === "terminate") this.#fail(excess);
      return;
    }
    const maxSilenceMs = life.started?.maxSilenceMs ?? 0;
    const verdict = life.isFrozen
      ? this.#watchdog.judgeMemory(sample, settings)
      : this.#watchdog.judge(sample, { lifecycle, settings, maxSilenceMs, nowMs });
    if (verdict !== null) return this.#fail(verdict);
    if (lifecycle.state !== "running" || life.isFrozen) return;
    if (nowMs - lifecycle.sinceMs >= settings.stableAfterMs) this.#options.onStable();
    this.prober.onSample(life, { now: context.now, onSilent: () => this.#onProbeSilent(life) });
  }

  onEvacuate(life: GenerationLife, evacuation: Evacuation): void {
    if (life !== this.#options.current()) return;
    const isTooLarge = evacuation.cause === "too_large";
    if (isTooLarge && life.placement === "shared") this.#options.placement.onHostTooLarge(evacuation);
    const message = isTooLarge ? "Its host's memory is over the limit" : "Its host must end for another adapter";
    this.#options.dispatch({ kind: "recycle", reason: "host_died", message });
  }

  onStopSettled(life: GenerationLife, error: GatewayError | null): void {
    const { ending } = this.#options.lifecycle();
    if (life !== this.#options.current() || ending?.step !== "ask") return;
    // What it could not release by itself goes with its thread: an error here stops nothing.
    if (error !== null)
      this.#options.context.logger.warn("adapter-stop-failed", {
        key: this.#options.key,
        generation: life.generation,
        error: error.toReport(),
      });
    this.#options.dispatch({ kind: "stop_settled" });
  }

  onGone(life: GenerationLife, end: LifeEnd): void {
    const isCurrent = life === this.#options.current();
    const event = isCurrent ? this.#judgeEnd(life, end) : null;
    this.#options.onGone(life);
    if (event === null) return;
    this.end();
    this.#fail(event);
  }

  #judgeEnd(life: GenerationLife, end: LifeEnd): LifecycleEvent & { readonly kind: "gone" } {
    switch (end.kind) {
      case "exited":
        return { kind: "gone", failure: failureOfExit(end.exit), isCounted: true };
      case "unopened":
        return { kind: "gone", failure: failureOfError(end.error, "start_failed"), isCounted: true };
      case "host_gone": {
        const placement = life.host?.kind === "own" ? "own" : life.placement;
        const { isCounted } = this.#options.placement.onHostGone(end.gone, placement);
        return { kind: "gone", failure: failureOfHost(end.gone), isCounted };
      }
    }
  }

  #onEvent(life: GenerationLife, frame: Frame): void {
    const event = parseEvent(frame);
    const { context, dispatch } = this.#options;
    switch (event?.event) {
      case undefined:
      case "loaded":
      case "commands":
        return;
      case "missed":
        return context.onMissed(this.#options.key, event);
      case "frame":
        return this.#onTransportFrame(context.now());
      case "connected":
        this.#onTransportFrame(context.now());
        return dispatch({ kind: "connected" });
      case "reconnecting":
        return dispatch({ kind: "reconnecting", message: context.redact(event.reason) });
      case "closed": {
        const cause =
          event.error === null
            ? failure("stream_ended", "Its connection is over")
            : failureOfError(GatewayError.fromReport(event.error), "stream_ended");
        return this.#fail({ kind: "failed", failure: cause, by: "ask" });
      }
      case "log":
        for (const { level, name, fields } of event.records)
          context.logger[level](name, { ...fields, key: this.#options.key, generation: life.generation });
        if (event.dropped > 0)
          context.logger.warn("adapter-log-dropped", { key: this.#options.key, records: event.dropped });
    }
  }

  #onTransportFrame(nowMs: number): void {
    this.frameAtMs = nowMs;
    this.#watchdog.onTransportFrame(nowMs);
  }

  #onProbeSilent(life: GenerationLife): void {
    if (life !== this.#options.current()) return;
    this.#fail({ kind: "failed", failure: failure("silent_transport", "Probes were not answered"), by: "ask" });
  }

  /** What an adapter says of its own failure is shown to people: without secrets. */
  #fail(event: LifecycleEvent): void {
    const { context, dispatch } = this.#options;
    if (event.kind !== "failed" && event.kind !== "gone") return dispatch(event);
    const { userAction } = event.failure;
    const message = this.#withRivals(event.failure);
    dispatch({
      ...event,
      failure: {
        ...event.failure,
        message: message === null ? null : context.redact(message),
        userAction: userAction === null ? null : context.redact(userAction),
      },
    });
  }

  /** The message of a conflict names who else of this gateway may be the other client. */
  #withRivals({ reason, message }: Failure): string | null {
    const rivals = reason === "conflict" ? this.#options.context.rivals(this.#options.key) : [];
    return rivals.length === 0 ? message : describeRivals(message, rivals);
  }

  #isStarting(life: GenerationLife): boolean {
    return life === this.#options.current() && this.#options.lifecycle().state === "starting";
  }

  /** The newest settings: changed defaults apply to what runs. While it is removed, its own. */
  #settings(life: GenerationLife): GenerationLife["spec"]["supervisor"] {
    return (this.#options.spec() ?? life.spec).supervisor;
  }
}
