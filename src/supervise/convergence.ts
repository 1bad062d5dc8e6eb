/** Which accepted config one adapter already obeys, and who waits for it to obey a newer one. */

/** How an adapter took a config. */
export type SettledOutcome = "done" | "failed";

type Waiter = { readonly desiredGeneration: number; readonly settle: (outcome: SettledOutcome) => void };

/** Desired and observed config generation of one runtime key. */
export class Convergence {
  #desired = 0;
  #observed = 0;
  readonly #waiters = new Set<Waiter>();

  /** The newest accepted config. */
  get desiredGeneration(): number {
    return this.#desired;
  }

  /** The newest one that is in effect. */
  get observedGeneration(): number {
    return this.#observed;
  }

  /** A config was accepted. An older one than the present changes nothing. */
  desire(desiredGeneration: number): void {
    this.#desired = Math.max(this.#desired, desiredGeneration);
  }

  /** How the adapter stands to the newest config: it obeys, it cannot, or it is still on its way. Whether it obeys a newer one than before. */
  observe(standing: SettledOutcome | "pending"): boolean {
    if (standing === "pending") return false;
    const isNewer = standing === "done" && this.#observed < this.#desired;
    if (isNewer) this.#observed = this.#desired;
    for (const waiter of this.#waiters) {
      if (waiter.desiredGeneration > this.#desired) continue;
      this.#waiters.delete(waiter);
      waiter.settle(standing);
    }
    return isNewer;
  }

  /** Resolves when the config is in effect (`done`) or a try to bring it into effect has failed. Rejects with the signal's reason. */
  async settled(desiredGeneration: number, signal: AbortSignal): Promise<SettledOutcome> {
    signal.throwIfAborted();
    const outcome = Promise.withResolvers<SettledOutcome>();
    const waiter: Waiter = { desiredGeneration, settle: outcome.resolve };
    const onAbort = (): void => outcome.reject(signal.reason as Error);
    this.#waiters.add(waiter);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await outcome.promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
