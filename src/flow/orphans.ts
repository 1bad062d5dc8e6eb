/** Lanes whose consumer is gone from the config: they are routed again, or wait until the config changes once more. */
import { GatewayError } from "../contract/errors.ts";
import type { Logger } from "../support/logger.ts";
import type { ConsumerQueue } from "./consumer-queue.ts";
import type { ConsumerQueues } from "./consumer-queues.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";

/**
 * Finds another consumer for what waits in these lanes, since theirs is gone; heads that no consumer wants are done.
 * @throws {GatewayError} `journal_unavailable`.
 */
export type Reroute = (list: readonly Lane[], lanes: Lanes) => Promise<void>;

/** What {@link Orphans} needs. */
export type OrphansOptions = {
  readonly reroute: Reroute;
  readonly lanes: Lanes;
  readonly queues: ConsumerQueues;
  readonly logger: Logger;
  readonly onHead: (lane: Lane) => void;
  /** Tries a lane again later. */
  readonly delay: (lane: Lane) => void;
  readonly pump: () => void;
};

/** The shell around {@link Reroute}. */
export class Orphans {
  readonly #options: OrphansOptions;

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /** Empties the queue of a consumer that is not configured. Never rejects. */
  async sendElsewhere(queue: ConsumerQueue): Promise<void> {
    const { lanes, queues, logger, onHead, delay, pump } = this.#options;
    const list: Lane[] = [];
    for (let lane = queue.ready.shift(); lane !== undefined; lane = queue.ready.shift()) {
      lane.state = "rerouting";
      list.push(lane);
    }
    if (list.length === 0) return;
    try {
      await this.#options.reroute(list, lanes);
    } catch (reason) {
      logger.warn("lanes-not-routed", { consumer: queue.name, error: GatewayError.from(reason).message });
      for (const lane of list) if (lane.state === "rerouting") delay(lane);
      return;
    }
    for (const lane of list) {
      // A head that was dropped has been followed by the next one, which has gone its own way.
      if (lane.state !== "rerouting") continue;
      if (lane.entries[0]?.consumer === queue.name && !queues.isKnown(queue)) queue.parked.push(lane);
      else onHead(lane);
    }
    pump();
  }
}
