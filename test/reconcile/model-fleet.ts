/** A fleet that does at once what it is told and remembers every call, with shared members that code registers. */
import type { AdapterSpec, ConsumerSpec, RouterSpec } from "../../src/contract/spec.ts";
import type { Fleet, Outcome } from "../../src/reconcile/fleet.ts";
import type {
  Observed,
  ObservedAdapter,
  ObservedConsumer,
  PlannedAdapterAction,
  PlannedConsumerAction,
} from "../../src/reconcile/plan.ts";

/** See above; `calls` are `ACTION KEY`, passive ones included, and `router`. */
export class ModelFleet implements Fleet {
  readonly adapters = new Map<string, ObservedAdapter>();
  readonly consumers = new Map<string, ObservedConsumer>();
  readonly calls: string[] = [];
  readonly generations = new Map<string, number>();
  readonly settling = new Map<string, PromiseWithResolvers<Outcome>>();
  /** Keys whose `settled` answers only when the test says so, through {@link ModelFleet.settling}. */
  readonly slow = new Set<string>();
  /** Why a key failed, where it says so. */
  readonly failures = new Map<string, string>();
  /** Keys whose next apply throws. */
  readonly broken = new Set<string>();
  readonly routers: RouterSpec[] = [];

  /** Code registers `spec`'s key. */
  register(spec: AdapterSpec): void {
    this.adapters.set(spec.key, { owner: "shared", spec: { ...spec, owner: "shared" }, isPaused: false });
  }

  /** The calls since the last time, without those that only tell of a new generation. */
  takeChanges(): readonly string[] {
    return this.calls.splice(0).filter((call) => !/^(?:keep|invalid|router)/u.test(call));
  }

  observed(): Observed {
    return { adapters: new Map(this.adapters), consumers: new Map(this.consumers) };
  }

  applyAdapter(action: PlannedAdapterAction, desiredGeneration: number): void {
    this.#note(action, desiredGeneration);
    const { key, spec } = action;
    const current = this.adapters.get(key);
    if (current?.owner === "shared") throw new Error(`"${key}" is registered by code and was touched`);
    if (action.action === "stop") this.adapters.delete(key);
    else
      this.adapters.set(key, {
        owner: "config",
        spec: spec ?? current?.spec ?? null,
        isPaused: current?.isPaused ?? false,
      });
  }

  applyConsumer(action: PlannedConsumerAction, desiredGeneration: number): void {
    this.#note(action, desiredGeneration);
    const spec: ConsumerSpec | null = action.spec;
    if (action.action === "stop") this.consumers.delete(action.name);
    else if (spec !== null) this.consumers.set(action.name, { owner: "config", spec });
  }

  applyRouter(router: RouterSpec): void {
    this.calls.push("router");
    this.routers.push(router);
  }

  settled(key: string, _desiredGeneration: number, signal: AbortSignal): Promise<Outcome> {
    if (!this.slow.has(key)) return Promise.resolve("done");
    const settling = Promise.withResolvers<Outcome>();
    this.settling.set(key, settling);
    signal.addEventListener("abort", () => settling.reject(signal.reason as Error), { once: true });
    return settling.promise;
  }

  failure(key: string): string | null {
    return this.failures.get(key) ?? null;
  }

  #note(action: PlannedAdapterAction | PlannedConsumerAction, desiredGeneration: number): void {
    if (this.broken.delete(action.key)) throw new Error(`cannot apply ${action.key}`);
    this.calls.push(`${action.action} ${action.key}`);
    this.generations.set(action.key, desiredGeneration);
  }
}
