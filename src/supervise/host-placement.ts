/** Where one adapter lives, and what its hosts' deaths have proved against it. Kept on disk. */
import type { HostGone, Placement } from "../contract/host.ts";
import type { ThreadSample } from "../contract/protocol.ts";
import type { SupervisorSettings } from "../contract/spec.ts";
import type { AdapterState } from "../contract/status.ts";
import { countSuspectDeath, placementOf, quarantineRule, suspicionOf, type Quarantine } from "./host-quarantine.ts";
import { supervisionScopes, type SmallStore } from "./supervision-store.ts";

/** What an adapter's placement works with. */
export type HostPlacementOptions = {
  readonly key: string;
  readonly store: SmallStore;
  readonly remembered: Quarantine | null;
};

/** How an adapter was found when its host went. */
export type Deathbed = {
  readonly placement: Placement;
  readonly state: AdapterState;
  readonly lastSample: ThreadSample | null;
  readonly settings: SupervisorSettings;
  readonly nowMs: number;
};

/** Keeps the placement. */
export class HostPlacement {
  readonly #options: HostPlacementOptions;
  #quarantine: Quarantine | null;
  #suspectDeathsAtMs: readonly number[] = [];

  constructor(options: HostPlacementOptions) {
    this.#options = options;
    this.#quarantine = options.remembered;
  }

  /** Why it has a host of its own; `null`: by no fault of its own, or it has none. */
  get quarantine(): Quarantine | null {
    return this.#quarantine;
  }

  /** Where the next generation lives. */
  choose(settings: SupervisorSettings): Placement {
    return placementOf(settings.isolation, this.#quarantine);
  }

  /** It was suspect when a shared host died not long ago, and no other death has proved anything since. */
  isSuspect(nowMs: number): boolean {
    return this.#suspectDeathsAtMs.some((atMs) => nowMs - atMs <= quarantineRule.windowMs);
  }

  /** Its host is gone. Counted as its own failure where it was alone, or where only `isolation = "thread"` spares it a quarantine. */
  onHostGone(gone: HostGone, found: Deathbed): { readonly isCounted: boolean } {
    if (found.placement === "own") return { isCounted: true };
    // A host that was killed for an unkillable thread says nothing about the others in it.
    if (gone.cause === "killed" && found.state !== "unkillable") return { isCounted: false };
    const suspicion = suspicionOf(found.state, found.lastSample, found.settings.memoryLimitMb);
    if (suspicion === null) return { isCounted: false };
    const { deathsAtMs, quarantine } = countSuspectDeath(this.#suspectDeathsAtMs, found.nowMs, suspicion);
    this.#suspectDeathsAtMs = deathsAtMs;
    if (quarantine === null) return { isCounted: false };
    if (found.settings.isolation === "thread") return { isCounted: true };
    this.#keep(quarantine);
    return { isCounted: false };
  }

  /** Back to the shared host: a person says so, or the key is gone. */
  release(): void {
    this.#suspectDeathsAtMs = [];
    if (this.#quarantine !== null) this.#keep(null);
  }

  #keep(quarantine: Quarantine | null): void {
    this.#quarantine = quarantine;
    const value = quarantine === null ? null : JSON.stringify(quarantine);
    this.#options.store.put(supervisionScopes.placement, this.#options.key, value);
  }
}
