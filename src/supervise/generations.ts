/** Numbers for generations: they rise with every start and never repeat, not even after the coordinator was killed. */
import { GatewayError } from "../contract/errors.ts";
import type { Logger } from "../support/logger.ts";

/** How many numbers one durable write pays for. */
export const generationBlock = 1000;
/** The frame header has 32 bits for it. */
const largestGeneration = 4_294_967_295;

/** Where the highest number that may have been used is kept. Both may reject with `journal_unavailable`. */
export interface GenerationStore {
  /** 0: none yet. */
  load(): Promise<number>;
  /** Resolves when it is on disk. */
  reserve(upTo: number): Promise<void>;
}

/** The counter. Numbers are handed out of blocks that are on disk already; the next block is written when half of one is used. */
export class Generations {
  readonly #store: GenerationStore;
  readonly #logger: Logger;
  #last: number;
  #reservedUpTo: number;
  #isReserving = false;

  private constructor(store: GenerationStore, logger: Logger, last: number) {
    this.#store = store;
    this.#logger = logger;
    this.#last = last;
    this.#reservedUpTo = last;
  }

  /** Goes on after the highest number that may have been used. @throws {GatewayError} what the store rejects with. */
  static async start(options: { readonly store: GenerationStore; readonly logger: Logger }): Promise<Generations> {
    const generations = new Generations(options.store, options.logger, await options.store.load());
    await generations.#reserve();
    return generations;
  }

  /**
   * The next number.
   * @throws {GatewayError} `journal_unavailable` when the block is used up and the next one could not be written.
   */
  next(): number {
    if (this.#reservedUpTo - this.#last <= generationBlock / 2 && !this.#isReserving) void this.#reserveLater();
    if (this.#last >= this.#reservedUpTo || this.#last >= largestGeneration)
      throw new GatewayError(
        "journal_unavailable",
        `Cannot number a generation after ${this.#last}: no further numbers could be reserved`,
      );
    this.#last += 1;
    return this.#last;
  }

  async #reserve(): Promise<void> {
    const upTo = Math.min(this.#reservedUpTo + generationBlock, largestGeneration);
    await this.#store.reserve(upTo);
    this.#reservedUpTo = upTo;
  }

  async #reserveLater(): Promise<void> {
    this.#isReserving = true;
    try {
      await this.#reserve();
    } catch (reason) {
      // The next number tries again; half a block is left.
      this.#logger.warn("generation-reserve-failed", { error: GatewayError.from(reason).toReport() });
    } finally {
      this.#isReserving = false;
    }
  }
}
