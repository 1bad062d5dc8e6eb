/** Keeps one runtime key as the config and its operators want it. It takes specs and orders at once and never waits under them. */
import type { HistoryEntry } from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { FrameKind } from "../contract/frame.ts";
import type { ControlMethod } from "../contract/protocol.ts";
import type { AdapterSpec, ConfigIssue } from "../contract/spec.ts";
import { reportAdapter, type AdapterReport } from "./adapter-report.ts";
import type { PresentGeneration } from "./generation-runner.ts";
import { Convergence, type SettledOutcome } from "./convergence.ts";
import type { Lifecycle } from "./lifecycle-event.ts";
import { hasThread } from "./lifecycle.ts";
import { LifecycleDriver } from "./lifecycle-driver.ts";
import { swapPolicy } from "./policy-swap.ts";
import { redactError } from "./redact-error.ts";
import { standingOf } from "./standing.ts";
import type { SupervisorContext } from "./supervisor-context.ts";
import { nothingRemembered, type Remembered } from "./supervision-store.ts";

/** Whom it keeps running, and what is known from before. */
export type SupervisorOptions = {
  readonly key: string;
  readonly platform: string;
  readonly context: SupervisorContext;
  readonly remembered?: Remembered;
};

/** One runtime key's supervisor. */
export class Supervisor {
  readonly key: string;
  readonly #platform: string;
  readonly #context: SupervisorContext;
  readonly #driver: LifecycleDriver;
  readonly #convergence = new Convergence();
  #spec: AdapterSpec | null = null;
  #invalid: { readonly message: string; readonly since: string } | null = null;
  #stopped = Promise.withResolvers<void>();

  constructor(options: SupervisorOptions) {
    const { key, context } = options;
    this.key = key;
    this.#platform = options.platform;
    this.#context = context;
    this.#driver = new LifecycleDriver({
      key,
      context,
      remembered: options.remembered ?? nothingRemembered,
      spec: () => this.#spec,
      onStep: () => this.#onStep(),
    });
  }

  /** The spec it obeys; `null`: there never was a valid one, or it is being removed. */
  get spec(): AdapterSpec | null {
    return this.#spec;
  }

  /** Where it is. */
  get lifecycle(): Lifecycle {
    return this.#driver.lifecycle;
  }

  /** Told to go, though its thread may still be there. */
  get isUnwanted(): boolean {
    return this.#spec === null && this.#invalid === null;
  }

  /** Told to go, and gone. */
  get isRemoved(): boolean {
    return this.isUnwanted && this.lifecycle.state === "stopped";
  }

  /** A pause is in effect, or will be once the thread is gone. */
  get isPaused(): boolean {
    const { state, wanted } = this.lifecycle;
    return state === "paused" || (wanted === "pause" && hasThread(this.lifecycle));
  }

  /** The live generation, and the last number this key had. */
  get generation(): PresentGeneration {
    return this.#driver.runner.present;
  }

  /** Obeys a spec: starts, replaces, swaps the policy in place, or keeps what runs. */
  applySpec(spec: AdapterSpec, desiredGeneration: number): void {
    const before = this.#spec;
    this.#spec = spec;
    this.#invalid = null;
    this.#convergence.desire(desiredGeneration);
    if (before === null) this.#driver.begin(spec);
    else if (before.fingerprints.connection !== spec.fingerprints.connection)
      this.#driver.dispatch({ kind: "run", reason: "config_changed" });
    else if (before.fingerprints.policy !== spec.fingerprints.policy) this.#applyPolicy();
    this.#converge();
  }

  /** Its table has errors: the last good generation, if any, is kept running. */
  markInvalid(errors: readonly ConfigIssue[], desiredGeneration: number): void {
    const message = errors.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
    this.#invalid = { message, since: this.#invalid?.since ?? new Date(this.#context.now()).toISOString() };
    this.#convergence.desire(desiredGeneration);
    if (this.#spec === null) this.#driver.dispatch({ kind: "invalidate", message });
    this.#converge();
  }

  /** Ends it and forgets what was held against it. Resolves when its thread is gone. */
  remove(desiredGeneration: number): Promise<void> {
    this.#convergence.desire(desiredGeneration);
    this.#driver.backoff.clear();
    this.#driver.pauseRecord.clear();
    this.#driver.placement.forget();
    return this.stop();
  }

  /** Ends it as a shutdown does: what is on disk stays. Resolves when its thread is gone. */
  stop(): Promise<void> {
    this.#spec = null;
    this.#invalid = null;
    const { promise } = this.#stopped;
    this.#driver.dispatch({ kind: "remove" });
    return this.lifecycle.state === "stopped" ? Promise.resolve() : promise;
  }

  /**
   * A fresh generation by an operator's order, and its number. `toShared` ends a quarantine.
   * @throws {GatewayError} `conflict` without a valid spec, `journal_unavailable` when no number is left.
   */
  restart(options: { readonly toShared: boolean }): number {
    if (this.#spec === null)
      throw new GatewayError("conflict", `Cannot restart "${this.key}": it has no valid spec to run`);
    if (options.toShared) this.#driver.placement.release();
    const generation = this.#driver.runner.reserveGeneration();
    this.#driver.pauseRecord.clear();
    this.#driver.dispatch({ kind: "run", reason: "operator" });
    return generation;
  }

  /** Ends its generation until it is resumed; no new config, none that is valid again and no restart of the gateway does. */
  pause(): void {
    this.#driver.dispatch({ kind: "pause" });
    const pause = { owner: this.#spec?.owner ?? "config", sinceMs: this.#context.now() };
    if (this.isPaused || this.lifecycle.state === "invalid") this.#driver.pauseRecord.set(pause);
  }

  /** Ends a pause. */
  resume(): void {
    this.#driver.pauseRecord.clear();
    this.#driver.dispatch({ kind: "resume" });
  }

  /**
   * One control call of the running generation, for outbound sends.
   * @throws {GatewayError} `adapter_unavailable` when none runs, else what the adapter answered, `timeout`, `worker_crashed`.
   */
  call(
    method: ControlMethod,
    args: unknown,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<unknown> {
    const { life } = this.#driver.runner;
    if (life !== null && this.#driver.isConnected)
      return life.call(method, args, options).catch((reason: unknown) => {
        throw redactError(GatewayError.from(reason), this.#context.redact);
      });
    const message = `Cannot call "${method}" of "${this.key}": it is ${this.lifecycle.state}, not running`;
    return Promise.reject(new GatewayError("adapter_unavailable", message));
  }

  /** A frame for generation `generation`; dropped when another one lives by now. */
  send(generation: number, kind: FrameKind, meta: unknown, body?: readonly Uint8Array[]): void {
    const { life } = this.#driver.runner;
    if (life !== null && life.generation === generation) life.send(kind, meta, body);
  }

  /** Its timeline, oldest first. */
  history(): readonly HistoryEntry[] {
    return this.#driver.timeline.entries();
  }

  /** When this config is in effect (`done`) or a try has failed. Rejects with the signal's reason. */
  settled(desiredGeneration: number, signal: AbortSignal): Promise<SettledOutcome> {
    const outcome = this.#convergence.settled(desiredGeneration, signal);
    this.#converge();
    return outcome;
  }

  /** The parts of its status that supervision knows. */
  status(): AdapterReport {
    return reportAdapter({
      key: this.key,
      platform: this.#platform,
      spec: this.#spec,
      invalid: this.#invalid,
      lifecycle: this.lifecycle,
      attempt: this.#driver.backoff.attempt,
      convergence: this.#convergence,
      quarantine: this.#driver.placement.quarantine,
      timeline: this.#driver.timeline,
      runner: this.#driver.runner,
      hosts: this.#context.hosts,
    });
  }

  #applyPolicy(): void {
    // A changed config is a reason to try at once what has failed with the old one.
    const hasFailed = ["backing_off", "needs_attention"].includes(this.lifecycle.state);
    if (hasFailed) this.#driver.dispatch({ kind: "run", reason: "config_changed" });
    else this.refreshPolicy();
  }

  /** Gives the running generation the policy and the commands of now, where it has others. Before it is connected: nothing. */
  refreshPolicy(): void {
    const { life } = this.#driver.runner;
    if (life === null) return;
    void swapPolicy(life, {
      spec: () => this.#spec,
      commands: () => this.#context.commands(this.key),
      isCurrent: () => this.#driver.runner.life === life && this.#driver.isConnected,
      onRejected: (error) => {
        const fields = { key: this.key, generation: life.generation, error: error.toReport() };
        this.#context.logger.warn("policy-rejected", fields);
        this.#driver.dispatch({ kind: "run", reason: "config_changed" });
      },
    }).then(() => this.#converge());
  }

  #onStep(): void {
    // It was started with the policy of that time; what came meanwhile is given to it once it is connected.
    this.refreshPolicy();
    if (this.lifecycle.state === "stopped") this.#onStopped();
    this.#converge();
  }

  #onStopped(): void {
    this.#stopped.resolve();
    this.#stopped = Promise.withResolvers();
    // Its table came back, with errors, while the old thread was still ending.
    if (this.#spec === null && this.#invalid !== null)
      this.#driver.dispatch({ kind: "invalidate", message: this.#invalid.message });
  }

  #converge(): void {
    const { life } = this.#driver.runner;
    const live =
      life === null ? null : { connection: life.spec.fingerprints.connection, policy: life.policyFingerprint };
    const facts = { lifecycle: this.lifecycle, spec: this.#spec, isInvalid: this.#invalid !== null, live };
    const latest = this.#driver.timeline.latest;
    if (this.#convergence.observe(standingOf(facts)) && latest !== null)
      this.#context.onObserved(this.key, this.#convergence.observedGeneration, latest);
  }
}
