/** What a reconcile acts on: the supervisors, the consumers and the router behind one small interface. */
import type { RouterSpec } from "../contract/spec.ts";
import type { Observed, PlannedAdapterAction, PlannedConsumerAction } from "./plan.ts";

/** How one action ended: the key runs what it was told (or is gone), or its first attempt at it failed. */
export type Outcome = "done" | "failed";

/**
 * Everything that runs. Its parts are told what to be and get there by themselves, at their own pace: no method waits for
 * a thread, a connection or a handler. `desiredGeneration` is the accepted config an action comes from.
 */
export interface Fleet {
  /** What was last told to each key, not how far it has got. Read and acted upon within one tick. */
  observed(): Observed;
  /**
   * `start`, `replace`, `repolicy`: run `spec`. `stop`: go, and be forgotten. `keep`: take over `spec` (its supervision
   * and secrets) and the generation, disturbing nothing; it also ends an earlier `invalid`. `invalid`: run on with the
   * last good spec, or be listed without one in the state `invalid`.
   */
  applyAdapter(action: PlannedAdapterAction, desiredGeneration: number): void;
  /** `replace` and `stop` let the handlers in flight finish first. */
  applyConsumer(action: PlannedConsumerAction, desiredGeneration: number): void;
  /** Swaps what messages are matched against. Called before adapters change, after new consumers exist. */
  applyRouter(router: RouterSpec): void;
  /**
   * Settles when `key` (`webhook:ops`, `consumer:main`) has come to rest on `desiredGeneration`: `done` also for a paused
   * or removed one, `failed` as soon as a first attempt failed, though its supervisor goes on trying. Rejects with the signal.
   */
  settled(key: string, desiredGeneration: number, signal: AbortSignal): Promise<Outcome>;
  /** Why `key` last settled as `failed`, in words and without secrets; `null`: there is nothing more to say. */
  failure(key: string): string | null;
}
