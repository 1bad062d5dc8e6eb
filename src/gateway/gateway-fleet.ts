/** The fleet as reconcile acts on it: supervisors, consumers and router joined behind one interface. */
import type { Logger } from "../support/logger.ts";
import type { ConsumerSpec, RouterSpec } from "../contract/spec.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Fleet } from "../reconcile/fleet.ts";
import type { Observed, PlannedAdapterAction, PlannedConsumerAction } from "../reconcile/plan.ts";
import type { AdapterFleet } from "../supervise/fleet.ts";

/** The consumers as the fleet drives them. */
export interface ConsumerRegistry {
  readonly specs: ReadonlyMap<string, ConsumerSpec>;
  apply(spec: ConsumerSpec): void;
  remove(name: string): void;
  /** Why the last change of `name` failed; `null`: it runs as it was told to, or is gone. Rejects with the signal's reason. */
  outcome(name: string, signal: AbortSignal): Promise<string | null>;
}

const consumerPrefix = "consumer:";

/** What {@link createGatewayFleet} joins. */
export type FleetParts = {
  readonly adapters: AdapterFleet;
  readonly consumers: ConsumerRegistry;
  applyRouter(router: RouterSpec, consumers: readonly string[]): void;
  /** A spec is about to run: its secrets must be known to the redactor first. */
  onSpec(key: string, secrets: readonly string[]): void;
  /** Takes secrets out of what a handler's module says of itself. */
  redact(text: string): string;
  readonly logger: Logger;
};

/** See {@link Fleet}. */
export function createGatewayFleet(parts: FleetParts): Fleet {
  const { adapters, consumers } = parts;
  const failures = new Map<string, string>();
  return {
    observed: (): Observed => ({
      adapters: adapters.observed(),
      consumers: new Map([...consumers.specs].map(([name, spec]) => [name, { owner: "config", spec }])),
    }),
    applyAdapter(action: PlannedAdapterAction, desiredGeneration: number): void {
      const { key, spec, invalid } = action;
      if (spec !== null) {
        parts.onSpec(key, spec.secrets);
        adapters.apply(spec, desiredGeneration);
      } else if (invalid !== null) {
        adapters.markInvalid(invalid, desiredGeneration);
      } else if (action.action === "stop") {
        adapters.stop(key, desiredGeneration);
      }
    },
    applyConsumer({ name, spec, action }: PlannedConsumerAction): void {
      if (action === "stop") consumers.remove(name);
      else if (spec !== null && action !== "keep") consumers.apply(spec);
    },
    applyRouter: (router) => parts.applyRouter(router, [...consumers.specs.keys()]),
    async settled(key, desiredGeneration, signal) {
      try {
        if (key.startsWith(consumerPrefix)) {
          const error = await consumers.outcome(key.slice(consumerPrefix.length), signal);
          if (error === null) failures.delete(key);
          else failures.set(key, error);
          return error === null ? "done" : "failed";
        }
        return await adapters.settled(key, desiredGeneration, signal);
      } catch (reason) {
        if (signal.aborted) throw reason;
        parts.logger.error("outcome-unknown", { key, error: GatewayError.from(reason).message });
        return "failed";
      }
    },
    failure(key) {
      const error = failures.get(key);
      if (error !== undefined) return parts.redact(error);
      return adapters.statuses().find((status) => status.key === key)?.message ?? null;
    },
  };
}
