/** Carries out a plan: tells each part of the fleet what to be, and returns. One that refuses to listen stops no other. */
import type { RouterSpec } from "../contract/spec.ts";
import { GatewayError } from "../contract/errors.ts";
import type { ReloadAction } from "../contract/control.ts";
import type { Logger } from "../support/logger.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Fleet, Outcome } from "./fleet.ts";
import { Outcomes } from "./outcomes.ts";
import { untilAborted } from "./until-aborted.ts";
import { hasEffect, type Observed, type PlannedAction } from "./plan.ts";

/** One action and what became of it: an outcome to come, `failed` at once, or `null` where there was nothing to do. */
export type Step = {
  readonly action: PlannedAction;
  readonly outcome: Promise<Outcome> | "failed" | null;
  /** Asked once the outcome has come to `failed`. */
  readonly failure: () => string | null;
};

/** A plan with the router that goes with it. */
export type Execution = {
  readonly actions: readonly PlannedAction[];
  /** What the plan was made against. */
  readonly observed: Observed;
  readonly router: RouterSpec;
  readonly desiredGeneration: number;
  /** Every key learns of a new config, also those that it leaves alone. */
  readonly isNewConfig: boolean;
};

/** Applies plans to one fleet, and again what threw the last time. */
export class Executor implements Disposable {
  readonly #fleet: Fleet;
  readonly #logger: Logger;
  readonly #outcomes: Outcomes;
  readonly #unapplied = new Set<string>();
  #router = "";

  constructor(fleet: Fleet, logger: Logger) {
    this.#fleet = fleet;
    this.#logger = logger;
    this.#outcomes = new Outcomes(fleet, logger);
  }

  /**
   * Consumers first, so that the router has where to send to; then the router; then adapters; consumers that go last,
   * when nothing is routed to them any more. Steps are in the plan's order.
   */
  execute(execution: Execution): readonly Step[] {
    const outcomes = new Map<PlannedAction, Step["outcome"]>();
    const run = (isNow: (action: PlannedAction) => boolean): void => {
      for (const action of execution.actions)
        if (isNow(action)) outcomes.set(action, this.#applyOrKeep(action, execution));
    };
    run(({ kind, action }) => kind === "consumer" && action !== "stop");
    this.#applyRouter(execution.router);
    run(({ kind }) => kind === "adapter");
    run(({ kind, action }) => kind === "consumer" && action === "stop");
    return execution.actions.map((action) => {
      return { action, outcome: outcomes.get(action) ?? null, failure: () => this.#fleet.failure(action.key) };
    });
  }

  /** Stops following what is under way. */
  [Symbol.dispose](): void {
    this.#outcomes[Symbol.dispose]();
  }

  #applyOrKeep(action: PlannedAction, execution: Execution): Step["outcome"] {
    const { key } = action;
    const isPassive = action.action === "keep" || action.action === "invalid";
    const isDue = !isPassive || execution.isNewConfig || this.#unapplied.has(key) || isUnlisted(action, execution);
    if (isDue && hasEffect(action) && !this.#apply(action, execution.desiredGeneration)) return "failed";
    if (action.action === "invalid") return "failed";
    // Whoever waits for a reload wants to know of the change a moment ago as well.
    if (isPassive) return this.#outcomes.underWay(key);
    const { reason, fields } = action;
    this.#logger.info("reconcile-action", { key, action: action.action, reason, fields });
    return this.#outcomes.watch(key, execution.desiredGeneration);
  }

  #apply(action: PlannedAction, desiredGeneration: number): boolean {
    try {
      if (action.kind === "adapter") this.#fleet.applyAdapter(action, desiredGeneration);
      else this.#fleet.applyConsumer(action, desiredGeneration);
      this.#unapplied.delete(action.key);
      return true;
    } catch (reason) {
      this.#unapplied.add(action.key);
      const error = GatewayError.from(reason).message;
      this.#logger.error("reconcile-apply-failed", { key: action.key, action: action.action, error });
      return false;
    }
  }

  #applyRouter(router: RouterSpec): void {
    const content = canonicalJson(router);
    if (content === this.#router) return;
    try {
      this.#fleet.applyRouter(router);
      this.#router = content;
    } catch (reason) {
      this.#logger.error("reconcile-router-failed", { error: GatewayError.from(reason).message });
    }
  }
}

/** A step as a reload reports it, waiting for its outcome until the signal; `null`: nobody waits. */
export async function reportStep({ action, outcome, failure }: Step, until: AbortSignal | null): Promise<ReloadAction> {
  const { key, reason } = action;
  const line = { key, action: action.action, reason };
  if (outcome === "failed") return { ...line, outcome };
  if (outcome === null || (until === null && action.action === "keep")) return { ...line, outcome: "unchanged" };
  if (until === null) return { ...line, outcome: "pending" };
  // The deadline passed, or a newer change made this one's outcome moot.
  const settled = await untilAborted(outcome, until).catch(() => "pending" as const);
  const why = settled === "failed" ? failure() : null;
  return { ...line, reason: why === null ? reason : `${reason}; failed: ${why}`, outcome: settled };
}

/** Every step as a reload reports it; see {@link reportStep}. */
export function reportSteps(steps: readonly Step[], until: AbortSignal | null): Promise<readonly ReloadAction[]> {
  return Promise.all(steps.map((step) => reportStep(step, until)));
}

/** An invalid key that the fleet does not list yet, so that its status says so. */
function isUnlisted(action: PlannedAction, { observed }: Execution): boolean {
  return action.kind === "adapter" && action.action === "invalid" && !observed.adapters.has(action.key);
}
