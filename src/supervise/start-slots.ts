/** How many threads may be spawned and load their modules at once. Connecting takes no slot. */

/** Four, so that a boot with many adapters does not starve the ones that run. */
export const startSlotCount = 4;

/** First come, first served. */
export class StartSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number = startSlotCount) {
    this.#free = count;
  }

  /** A slot, held until it is disposed (twice is harmless). Rejects with the signal's reason when it is aborted first. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return this.#held();
    }
    const turn = Promise.withResolvers<void>();
    const onTurn = (): void => turn.resolve();
    const onAbort = (): void => {
      // Handed over already: the slot must not be lost, so it is taken and given back below.
      if (this.#waiting.delete(onTurn)) turn.reject(signal.reason as Error);
    };
    this.#waiting.add(onTurn);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    const slot = this.#held();
    if (!signal.aborted) return slot;
    slot[Symbol.dispose]();
    throw signal.reason;
  }

  #held(): Disposable {
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#release();
      },
    };
  }

  #release(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#free += 1;
  }
}
