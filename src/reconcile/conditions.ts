/** The standing conditions a reconcile answers for, each with the time since when it holds. */
import { GatewayError } from "../contract/errors.ts";
import type { ConfigIssue } from "../contract/spec.ts";
import type { Condition } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { describeIssue } from "./issue-text.ts";
import type { PlannedAction } from "./plan.ts";

/** A condition before it is known since when it holds. */
type StandingCondition = Omit<Condition, "since">;

/** What the conditions follow from. */
export type ConditionCauses = {
  /** Why the file on disk is refused; empty when it is accepted. */
  readonly refused: readonly ConfigIssue[];
  readonly isMissing: boolean;
  /** The last plan that was carried out. */
  readonly actions: readonly PlannedAction[];
  readonly skippedBindings: readonly ConfigIssue[];
  /** Changed settings that wait for a restart. */
  readonly restartKeys: readonly string[];
};

/** What holds now, kept up as its causes change. */
export class Conditions {
  readonly #logger: Logger;
  readonly #onChange: (conditions: readonly Condition[]) => void;
  #causes: ConditionCauses = { refused: [], isMissing: false, actions: [], skippedBindings: [], restartKeys: [] };
  #list: readonly Condition[] = [];

  /** `onChange` gets all conditions whenever one comes, goes or says something else; what it throws is logged. */
  constructor(logger: Logger, onChange: (conditions: readonly Condition[]) => void) {
    this.#logger = logger;
    this.#onChange = onChange;
  }

  /** All of them, the gateway's first. */
  get list(): readonly Condition[] {
    return this.#list;
  }

  /** Whether the config file is known to be gone. */
  get isMissing(): boolean {
    return this.#causes.isMissing;
  }

  /** Takes over the given causes; the others stay. One that held before keeps its `since`, whatever it says by now. */
  update(causes: Partial<ConditionCauses>): void {
    this.#causes = { ...this.#causes, ...causes };
    const now = new Date().toISOString();
    const sinceByIdentity = new Map(this.#list.map((condition) => [identity(condition), condition.since]));
    const list = standing(this.#causes).map((condition): Condition => {
      return { ...condition, since: sinceByIdentity.get(identity(condition)) ?? now };
    });
    const known = new Set(this.#list.map((condition) => JSON.stringify(condition)));
    const raised = list.filter((condition) => !known.has(JSON.stringify(condition)));
    if (raised.length === 0 && list.length === this.#list.length) return;
    this.#list = list;
    for (const { code, key, message } of raised) this.#logger.warn("condition-raised", { code, key, message });
    try {
      this.#onChange(list);
    } catch (reason) {
      this.#logger.error("condition-listener-failed", { error: GatewayError.from(reason).message });
    }
  }
}

function standing(causes: ConditionCauses): readonly StandingCondition[] {
  const conditions: StandingCondition[] = [];
  if (causes.isMissing)
    conditions.push({ code: "config_missing", key: null, message: "The config file is gone; its last content holds" });
  if (causes.refused.length > 0)
    conditions.push({ code: "config_invalid", key: null, message: causes.refused.map(describeIssue).join("; ") });
  for (const { kind, key, action, reason } of causes.actions)
    if (kind === "adapter" && action === "invalid") conditions.push({ code: "spec_invalid", key, message: reason });
  for (const issue of causes.skippedBindings)
    conditions.push({ code: "binding_skipped", key: null, message: describeIssue({ ...issue, line: null }) });
  if (causes.restartKeys.length > 0)
    conditions.push({
      code: "restart_required",
      key: null,
      message: `Restart the gateway to apply ${causes.restartKeys.join(", ")}`,
    });
  return conditions;
}

/** Several bindings may be skipped at once, and only their messages tell them apart. */
function identity({ code, key, message }: StandingCondition): string {
  return JSON.stringify([code, key, code === "binding_skipped" ? message : ""]);
}
