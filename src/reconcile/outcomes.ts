/** How the last change of each key turned out, so that whoever asks to wait can, and nobody else has to. */
import type { Logger } from "../support/logger.ts";
import type { Fleet, Outcome } from "./fleet.ts";

type Watch = { readonly stop: AbortController; readonly outcome: Promise<Outcome> };

/** Watches the changes that are under way. A newer change of the same key takes the place of an older one. */
export class Outcomes implements Disposable {
  readonly #fleet: Pick<Fleet, "settled">;
  readonly #logger: Logger;
  readonly #underWay = new Map<string, Watch>();

  constructor(fleet: Pick<Fleet, "settled">, logger: Logger) {
    this.#fleet = fleet;
    this.#logger = logger;
  }

  /**
   * Follows the change of `key` that was just applied; a failure is logged once, here. Rejects when a newer change takes
   * its place or the gateway closes; nobody has to listen.
   */
  watch(key: string, desiredGeneration: number): Promise<Outcome> {
    this.#underWay.get(key)?.stop.abort(new Error(`a newer change of "${key}" was applied`));
    const stop = new AbortController();
    const outcome = this.#follow(key, desiredGeneration, stop.signal);
    const watch = { stop, outcome };
    this.#underWay.set(key, watch);
    const forget = (): void => {
      if (this.#underWay.get(key) === watch) this.#underWay.delete(key);
    };
    outcome.then(forget, forget);
    return outcome;
  }

  /** The outcome of the change of `key` that is under way, if one is. */
  underWay(key: string): Promise<Outcome> | null {
    return this.#underWay.get(key)?.outcome ?? null;
  }

  /** Stops watching: what is under way rejects. */
  [Symbol.dispose](): void {
    for (const { stop } of this.#underWay.values()) stop.abort(new Error("the gateway is shutting down"));
    this.#underWay.clear();
  }

  async #follow(key: string, configGeneration: number, signal: AbortSignal): Promise<Outcome> {
    try {
      const outcome = await this.#fleet.settled(key, configGeneration, signal);
      if (outcome === "failed") this.#logger.warn("reconcile-outcome-failed", { key, configGeneration });
      return outcome;
    } catch (reason) {
      if (!signal.aborted) this.#logger.error("outcome-unknown", { key, configGeneration, error: String(reason) });
      throw reason;
    }
  }
}
