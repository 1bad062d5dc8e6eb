/** The places that hosts come and go in. */
import type { OpenRequest, Placement } from "../contract/host.ts";
import { ReplacementDelay } from "./replacement-delay.ts";
import type { StartedHost } from "./start-host.ts";

/** One place: the common one, that of a part of what was split, of an adapter with its own host, of a consumer. */
export type HostSlot = {
  readonly placement: Placement;
  /** Its host stays when it is empty: it is everybody's. */
  readonly isCommon: boolean;
  readonly delay: ReplacementDelay;
  readonly hosts: Set<StartedHost>;
  /** How many wait for a host here. */
  waiting: number;
  starting: Promise<void> | null;
  restarts: number;
};

const commonName = "shared:";

/** All that there have been. */
export class HostSlots {
  readonly #areAllOne: boolean;
  readonly #slots = new Map<string, HostSlot>();

  /** `inline`: all live in the one host that is this process. */
  constructor(mode: "process" | "inline") {
    this.#areAllOne = mode === "inline";
  }

  /** Where a generation belongs. */
  of({ placement, key, group = "" }: OpenRequest): HostSlot {
    const own = placement === "shared" ? `shared:${group}` : `${placement}:${key}`;
    const name = this.#areAllOne ? commonName : own;
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      const isCommon = name === commonName;
      slot = {
        placement,
        isCommon,
        delay: new ReplacementDelay(),
        hosts: new Set(),
        waiting: 0,
        starting: null,
        restarts: 0,
      };
      this.#slots.set(name, slot);
    }
    return slot;
  }

  [Symbol.iterator](): IterableIterator<HostSlot> {
    return this.#slots.values();
  }
}
