/** The decision of a reconcile: what is wanted against what the fleet was told, one action per key. Pure. */
import type { PlanAction, PlanActionKind } from "../contract/control.ts";
import type { AdapterSpec, ConsumerSpec, DesiredState, InvalidSpec } from "../contract/spec.ts";
import { changedConsumerFields, changedFields } from "./changed-fields.ts";
import { describeIssue } from "./issue-text.ts";

/** Who a key belongs to: the config, or code that registered it and alone may remove it. */
type Owner = AdapterSpec["owner"];

/**
 * One adapter as its supervisor was told to run it, however far it has got: still starting, backing off, hung or stopped
 * by itself. `spec` is `null` when it never had a valid one. An adapter told to go is no longer listed.
 */
export type ObservedAdapter = {
  readonly owner: Owner;
  readonly spec: AdapterSpec | null;
  /** A person paused it: it takes new specs and starts none of them. */
  readonly isPaused: boolean;
};

/** One consumer as it was told to run. */
export type ObservedConsumer = { readonly owner: Owner; readonly spec: ConsumerSpec };

/** What a fleet runs, by runtime key and by consumer name. */
export type Observed = {
  readonly adapters: ReadonlyMap<string, ObservedAdapter>;
  readonly consumers: ReadonlyMap<string, ObservedConsumer>;
};

/** No fleet at all: what `bulkhead plan` compares with when no gateway runs. */
export const nothingObserved: Observed = { adapters: new Map(), consumers: new Map() };

/** One step for one adapter. `spec`: what it should run now; `null` for `stop` and `invalid`. */
export type PlannedAdapterAction = PlanAction & {
  readonly kind: "adapter";
  readonly spec: AdapterSpec | null;
  /** Its errors, for `invalid`; `null` when its only fault is that code registered the key. */
  readonly invalid: InvalidSpec | null;
};

/** One step for one consumer: `start`, `stop`, `replace` or `keep`. Its `key` is `consumer:NAME`. */
export type PlannedConsumerAction = PlanAction & {
  readonly kind: "consumer";
  readonly name: string;
  readonly spec: ConsumerSpec | null;
};

/** One line of a plan with what it takes to carry it out. */
export type PlannedAction = PlannedAdapterAction | PlannedConsumerAction;

/** Whether carrying out `action` says anything to the fleet: not when its key is registered by code. */
export function hasEffect(action: PlannedAction): boolean {
  return action.action === "stop" || action.spec !== null || (action.kind === "adapter" && action.invalid !== null);
}

const registeredByCode = "its key is registered by code, which a reload never touches";

/**
 * What makes `observed` what `desired` says: stops first, then the config's order. What is registered by code is neither
 * stopped nor changed; a config that asks for the same key is told so. Carried out, the next plan has only `keep` and
 * `invalid`.
 */
export function plan(desired: DesiredState, observed: Observed): readonly PlannedAction[] {
  const adapterStops = [...observed.adapters]
    .filter(([key, { owner }]) => owner === "config" && !desired.adapters.has(key) && !desired.invalid.has(key))
    .map(([key]) => adapterAction(key, "stop", "removed from the config or disabled"));
  const consumerStops = [...observed.consumers]
    .filter(([name, { owner }]) => owner === "config" && !desired.consumers.has(name))
    .map(([name]) => consumerAction(name, "stop", "removed from the config"));
  return [
    ...adapterStops,
    ...[...desired.adapters.values()].map((spec) => planAdapter(spec, observed.adapters.get(spec.key))),
    ...[...desired.invalid.values()].map((spec) => planInvalid(spec, observed.adapters.get(spec.key))),
    ...consumerStops,
    ...[...desired.consumers.values()].map((spec) => planConsumer(spec, observed.consumers.get(spec.name))),
  ];
}

function planAdapter(spec: AdapterSpec, current: ObservedAdapter | undefined): PlannedAdapterAction {
  if (current?.owner === "shared") return conflicting(spec.key);
  if (current === undefined) return adapterAction(spec.key, "start", "new in the config", { spec });
  if (current.spec === null) return adapterAction(spec.key, "start", "its errors are mended", { spec });
  const fields = changedFields(current.spec, spec);
  const paused = current.isPaused ? "; paused, so it takes effect when resumed" : "";
  const { connection, policy } = current.spec.fingerprints;
  if (connection !== spec.fingerprints.connection)
    return adapterAction(spec.key, "replace", `connection settings changed${paused}`, { spec, fields });
  if (policy !== spec.fingerprints.policy)
    return adapterAction(spec.key, "repolicy", `policy changed${paused}`, { spec, fields });
  const reason = fields.length === 0 ? "unchanged" : "unchanged but for settings that apply live";
  return adapterAction(spec.key, "keep", reason, { spec, fields });
}

function planInvalid(invalid: InvalidSpec, current: ObservedAdapter | undefined): PlannedAdapterAction {
  if (current?.owner === "shared") return conflicting(invalid.key);
  const [first, ...others] = invalid.errors;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const error = first === undefined ? "its table has errors" : `${describeIssue(first)}${more}`;
  const runsOn = current !== undefined && current.spec !== null ? "; its last good settings stay in force" : "";
  return adapterAction(invalid.key, "invalid", `${error}${runsOn}`, { invalid });
}

function conflicting(key: string): PlannedAdapterAction {
  return adapterAction(key, "invalid", registeredByCode);
}

function planConsumer(spec: ConsumerSpec, current: ObservedConsumer | undefined): PlannedConsumerAction {
  if (current?.owner === "shared") return consumerAction(spec.name, "keep", "registered by code");
  if (current === undefined) return consumerAction(spec.name, "start", "new in the config", { spec });
  if (current.spec.fingerprint === spec.fingerprint) return consumerAction(spec.name, "keep", "unchanged", { spec });
  const fields = changedConsumerFields(current.spec, spec);
  return consumerAction(spec.name, "replace", "its settings or its module's file changed", { spec, fields });
}

type AdapterDetail = Partial<Pick<PlannedAdapterAction, "spec" | "fields" | "invalid">>;

function adapterAction(
  key: string,
  action: PlanActionKind,
  reason: string,
  { spec = null, fields = [], invalid = null }: AdapterDetail = {},
): PlannedAdapterAction {
  return { kind: "adapter", key, action, reason, fields, spec, invalid };
}

function consumerAction(
  name: string,
  action: PlanActionKind,
  reason: string,
  { spec = null, fields = [] }: Partial<Pick<PlannedConsumerAction, "spec" | "fields">> = {},
): PlannedConsumerAction {
  return { kind: "consumer", key: `consumer:${name}`, name, action, reason, fields, spec };
}
