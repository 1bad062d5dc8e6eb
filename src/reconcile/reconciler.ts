/** The loop that keeps the fleet at what the config says: level-triggered, one reconcile at a time, never waiting for an adapter. */
import type { Config, LoadResult } from "../contract/config.ts";
import type { PlanAction, PlannedConfig, PlanReport, ReloadReport } from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { ConfigIssue, DesiredState } from "../contract/spec.ts";
import type { Condition } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { after, every, TimeoutError, withDeadline } from "../support/time.ts";
import { Conditions } from "./conditions.ts";
import { configDigest } from "./config-digest.ts";
import { buildDesiredState, type DesiredStateOptions } from "./desired.ts";
import { Executor, reportSteps, type Step } from "./executor.ts";
import type { Fleet } from "./fleet.ts";
import { newWarnings } from "./new-warnings.ts";
import { plan } from "./plan.ts";
import { routerInForce } from "./router-in-force.ts";
import { diffSettings, withSettingsInForce, type SettingsDiff } from "./settings-diff.ts";
import { untilAborted } from "./until-aborted.ts";

/** Why a reconcile runs. None carries data: each run looks at everything. */
export type Trigger = "boot" | "file" | "signal" | "api" | "floor";

/** What a {@link Reconciler} works with. */
export type ReconcilerOptions = DesiredStateOptions & {
  /** The config the gateway was opened with; what changes against it and needs a restart waits for one. */
  readonly initial: Config;
  /** Reads the config again, references resolved anew; another one instead, where given. */
  readonly load: (config?: PlannedConfig) => Promise<LoadResult>;
  readonly fleet: Fleet;
  readonly logger: Logger;
  /** How often to reconcile without a reason, which also sees rotated secrets. Milliseconds. @default 30_000 */
  readonly floorMs?: number;
  /**
   * Called with each accepted config that differs from the last one, the initial one included, before the fleet changes.
   * Settings that need a restart are as they were at the start. `changes`: against the config before.
   */
  readonly onConfig?: (config: Config, desired: DesiredState, changes: SettingsDiff) => void;
  /** Called with all conditions whenever one comes, goes or says something else. */
  readonly onConditions?: (conditions: readonly Condition[]) => void;
};

type CarriedOut = { readonly ok: true; readonly configGeneration: number; readonly steps: readonly Step[] };
/** One reconcile: carried out, or refused as a whole. */
type Run = CarriedOut | { readonly ok: false; readonly errors: readonly ConfigIssue[] };

type Accepted = {
  readonly config: Config;
  readonly desired: DesiredState;
  readonly digest: string;
};

const loadDeadlineMs = 10_000;

/** Owns the loop and what is known of the last accepted config; the fleet is the composition root's. */
export class Reconciler implements AsyncDisposable {
  readonly #options: ReconcilerOptions;
  readonly #executor: Executor;
  readonly #closing = new AbortController();
  readonly #conditions: Conditions;
  readonly #floor: Disposable;
  #waiting: PromiseWithResolvers<Run>[] = [];
  #due: Trigger | null = null;
  #isRunning = false;
  #loop: Promise<void> = Promise.resolve();
  #accepted: Accepted | null = null;
  #configGeneration = 0;

  private constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#executor = new Executor(options.fleet, options.logger);
    this.#conditions = new Conditions(options.logger, (conditions) => options.onConditions?.(conditions));
    this.#accept(options.initial, "boot");
    this.#floor = every(
      options.floorMs ?? 30_000,
      () => this.trigger("floor"),
      (reason) => this.#logFailure("floor", reason),
    );
  }

  /** Applies the initial config and goes on from there. When it resolves, every part of the fleet has been told what to be. */
  static async start(options: ReconcilerOptions): Promise<Reconciler> {
    return new Reconciler(options);
  }

  /** How many differing configs were accepted, the initial one included. */
  get configGeneration(): number {
    return this.#configGeneration;
  }

  /** What the last accepted config asks for. */
  get desired(): DesiredState | null {
    return this.#accepted?.desired ?? null;
  }

  /** Everything that stands, the gateway's first. */
  get conditions(): readonly Condition[] {
    return this.#conditions.list;
  }

  /** Has a reconcile follow, however many ask for it meanwhile. Returns at once. */
  trigger(cause: Trigger): void {
    if (this.#closing.signal.aborted) return;
    // A save says more than the clock: only after one is an unreadable file an invalid one.
    if (this.#due !== "file") this.#due = cause;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#loop = this.#drain();
  }

  /** The config file is gone: everything stays as it is until there is one again. */
  missing(): void {
    this.#conditions.update({ isMissing: true, refused: [] });
  }

  /**
   * Reconciles with the file as it is from now on, then waits up to `waitMs` for outcomes; 0: not at all.
   * @throws {GatewayError} `conflict` when the gateway is closing; rejects with the signal's reason.
   */
  async reload(options: { readonly waitMs: number; readonly signal?: AbortSignal }): Promise<ReloadReport> {
    if (this.#closing.signal.aborted) throw closingError();
    const deadline = new AbortController();
    using _timer = after(options.waitMs, () => deadline.abort(new TimeoutError("the wait is over")));
    const waiting = Promise.withResolvers<Run>();
    this.#waiting.push(waiting);
    this.trigger("api");
    const run = await (options.signal ? untilAborted(waiting.promise, options.signal) : waiting.promise);
    if (!run.ok) return run;
    const signals = [deadline.signal, this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const until = options.waitMs <= 0 ? null : AbortSignal.any(signals);
    return { ok: true, configGeneration: run.configGeneration, actions: await reportSteps(run.steps, until) };
  }

  /** What a reload would do, with the file as it is now or with another config; changes nothing. */
  async plan(config?: PlannedConfig): Promise<PlanReport> {
    const configGeneration = this.#configGeneration;
    const loaded = await this.#load(config);
    if (!loaded.ok) return { configGeneration, actions: [], errors: loaded.errors };
    const desired = this.#desire(loaded.config);
    const actions = plan(desired, this.#options.fleet.observed()).map(
      ({ key, action, reason, fields }): PlanAction => ({ key, action, reason, fields }),
    );
    const fields = diffSettings(this.#options.initial, loaded.config).restart;
    if (fields.length > 0) actions.push({ key: "gateway", action: "keep", reason: "needs a restart", fields });
    const errors = [...desired.invalid.values()].flatMap((spec) => spec.errors);
    return { configGeneration, actions, errors };
  }

  /** Ends the loop, waiting for the run in progress. The fleet stays as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#floor[Symbol.dispose]();
    this.#closing.abort(closingError());
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closingError());
    this.#executor[Symbol.dispose]();
    await this.#loop;
  }

  async #drain(): Promise<void> {
    while (this.#due !== null && !this.#closing.signal.aborted) {
      const cause = this.#due;
      this.#due = null;
      const waiting = this.#waiting.splice(0);
      try {
        const run = await this.#reconcile(cause);
        for (const { resolve } of waiting) resolve(run);
      } catch (reason) {
        if (!this.#closing.signal.aborted) this.#logFailure(cause, reason);
        for (const { reject } of waiting) reject(GatewayError.from(reason));
      }
    }
    this.#isRunning = false;
  }

  async #reconcile(cause: Trigger): Promise<Run> {
    // Only what was read after the file went can prove that it is back.
    const isBack = this.#conditions.isMissing;
    const loaded = await this.#load();
    if (loaded.ok) {
      const run = this.#accept(loaded.config, cause);
      this.#conditions.update({ refused: [], ...(isBack ? { isMissing: false } : {}) });
      return run;
    }
    // A file that was deleted cannot be read either: one condition says enough, until a save brings it back.
    if (cause === "file") this.#conditions.update({ isMissing: false, refused: loaded.errors });
    else if (!this.#conditions.isMissing) this.#conditions.update({ refused: loaded.errors });
    // The last good one stays in force, also for what could not be told then.
    if (this.#accepted !== null) this.#accept(this.#accepted.config, cause);
    return loaded;
  }

  async #load(config?: PlannedConfig): Promise<LoadResult> {
    const { signal } = this.#closing;
    try {
      const loading = withDeadline(this.#options.load(config), loadDeadlineMs, "Loading the config");
      return await untilAborted(loading, signal);
    } catch (reason) {
      signal.throwIfAborted();
      return { ok: false, errors: [{ path: "", message: GatewayError.from(reason).message, line: null }] };
    }
  }

  /** Without a wait in it: what the plan is made against is what it is applied to. */
  #accept(config: Config, cause: Trigger): Run {
    const { fleet, fingerprintKey, logger } = this.#options;
    const desired = this.#desire(config);
    const observed = fleet.observed();
    const actions = plan(desired, observed);
    const digest = configDigest(config, desired, fingerprintKey);
    const previous = this.#accepted;
    const isNewConfig = previous?.digest !== digest;
    for (const warning of newWarnings(config, previous?.config ?? null)) logger.warn("config-warning", warning);
    if (isNewConfig) {
      this.#configGeneration += 1;
      const changes = previous === null ? { live: [], restart: [] } : diffSettings(previous.config, config);
      logger.info("config-accepted", { configGeneration: this.#configGeneration, cause, ...changes });
      this.#announce(config, desired, changes);
    }
    const desiredGeneration = this.#configGeneration;
    const steps = this.#executor.execute({ actions, observed, router: desired.router, desiredGeneration, isNewConfig });
    this.#accepted = { config, desired, digest };
    this.#conditions.update({
      actions,
      skippedBindings: desired.skippedBindings,
      restartKeys: diffSettings(this.#options.initial, config).restart,
    });
    return { ok: true, configGeneration: desiredGeneration, steps };
  }

  #desire(config: Config): DesiredState {
    const built = buildDesiredState(withSettingsInForce(config, this.#options.initial), this.#options);
    return { ...built, router: routerInForce(built, this.#accepted?.desired.router ?? null) };
  }

  #announce(config: Config, desired: DesiredState, changes: SettingsDiff): void {
    try {
      this.#options.onConfig?.(withSettingsInForce(config, this.#options.initial), desired, changes);
    } catch (reason) {
      this.#options.logger.error("config-listener-failed", { error: GatewayError.from(reason).message });
    }
  }

  #logFailure(cause: Trigger, reason: unknown): void {
    this.#options.logger.error("reconcile-failed", { cause, error: GatewayError.from(reason).message });
  }
}

function closingError(): GatewayError {
  return new GatewayError("conflict", "Cannot reload: the gateway is shutting down");
}
