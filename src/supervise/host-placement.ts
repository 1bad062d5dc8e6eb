/** Where one adapter lives, and what its hosts' deaths have proved against it. Kept on disk. */
import type { HostGone, Placement } from "../contract/host.ts";
import type { ThreadSample } from "../contract/protocol.ts";
import type { SupervisorSettings } from "../contract/spec.ts";
import type { AdapterState } from "../contract/status.ts";
import type { BlamedAdapter, HostBlame, HostEnd } from "./host-blame.ts";
import {
  countSuspectDeath,
  groupCalmMs,
  placementOf,
  quarantineRule,
  suspicionOf,
  type Quarantine,
  type RememberedPlacement,
} from "./host-quarantine.ts";
import { supervisionScopes, type SmallStore } from "./supervision-store.ts";
import type { Logger } from "../support/logger.ts";

/** How an adapter stands at this moment. */
export type Standing = {
  readonly state: AdapterState;
  readonly lastSample: ThreadSample | null;
  readonly settings: SupervisorSettings;
};

/** What an adapter's placement works with. */
export type HostPlacementOptions = {
  readonly key: string;
  readonly store: SmallStore;
  readonly blame: HostBlame;
  readonly remembered: RememberedPlacement | null;
  /** `null`: it has no spec. */
  readonly standing: () => Standing | null;
  readonly now: () => number;
  readonly logger: Logger;
};

/** Keeps the placement. */
export class HostPlacement implements BlamedAdapter {
  readonly key: string;
  readonly #options: HostPlacementOptions;
  #quarantine: Quarantine | null = null;
  #group = "";
  #groupSinceMs = 0;
  #suspectDeathsAtMs: readonly number[] = [];

  constructor(options: HostPlacementOptions) {
    this.key = options.key;
    this.#options = options;
    const { remembered } = options;
    if (remembered !== null && "group" in remembered) {
      this.#group = remembered.group;
      this.#groupSinceMs = remembered.sinceMs;
    } else this.#quarantine = remembered;
    options.blame.join(this);
  }

  /** Why it has a host of its own; `null`: by no fault of its own, or it has none. */
  get quarantine(): Quarantine | null {
    return this.#quarantine;
  }

  get group(): string {
    return this.#group;
  }

  get isMovable(): boolean {
    return this.#options.standing()?.settings.isolation !== "thread";
  }

  /** Where the next generation lives. */
  choose(settings: SupervisorSettings): { readonly placement: Placement; readonly group: string } {
    if (this.#group !== "" && this.#options.now() - this.#groupSinceMs > groupCalmMs) this.rejoin();
    // A key that comes back while its thread still ends has been forgotten.
    this.#options.blame.join(this);
    const placement = placementOf(settings.isolation, this.#quarantine);
    return { placement, group: settings.isolation === "thread" ? "" : this.#group };
  }

  /** It was suspect when a shared host died not long ago, and no other death has proved anything since. */
  isSuspect(nowMs: number): boolean {
    return this.#suspectDeathsAtMs.some((atMs) => nowMs - atMs <= quarantineRule.windowMs);
  }

  suspicion(): string | null {
    const standing = this.#options.standing();
    if (standing === null) return null;
    return suspicionOf(standing.state, standing.lastSample, standing.settings.memoryLimitMb);
  }

  /** Its host is gone. Counted as its own failure where it was alone, or where only `isolation = "thread"` spares it a quarantine. */
  onHostGone(gone: HostGone, placement: Placement): { readonly isCounted: boolean } {
    if (placement === "own") return { isCounted: true };
    // A host that was killed for an unkillable thread says nothing about the others in it.
    if (gone.cause === "killed" && this.#options.standing()?.state !== "unkillable") return { isCounted: false };
    const suspicion = this.suspicion();
    const verdict = this.#options.blame.judge(gone);
    if (suspicion === null) return { isCounted: verdict.kind === "alone" && verdict.isSplitOff && this.#convict() };
    const nowMs = this.#options.now();
    const { deathsAtMs, quarantine } = countSuspectDeath(this.#suspectDeathsAtMs, nowMs, suspicion);
    this.#suspectDeathsAtMs = deathsAtMs;
    return { isCounted: quarantine !== null && this.#isolate(quarantine) };
  }

  /** Its host is too large and must end: by whom, its threads' own numbers do not tell. */
  onHostTooLarge(end: HostEnd): void {
    const verdict = this.#options.blame.judge(end);
    if (verdict.kind === "alone" && verdict.isSplitOff) this.#convict();
  }

  moveTo(group: string): void {
    this.#group = group;
    this.#groupSinceMs = this.#options.now();
    this.#keep({ group, sinceMs: this.#groupSinceMs });
    this.#options.logger.warn("adapter-set-apart", { key: this.key, group });
  }

  rejoin(): void {
    if (this.#group === "") return;
    this.#group = "";
    this.#keep(this.#quarantine);
  }

  /** Back to the common host: a person says so, or the key is gone. */
  release(): void {
    this.#suspectDeathsAtMs = [];
    if (this.#quarantine === null) return this.rejoin();
    this.#quarantine = null;
    this.#group = "";
    this.#keep(null);
    this.#options.logger.info("adapter-released", { key: this.key });
  }

  /** The key is gone. */
  forget(): void {
    this.release();
    this.#options.blame.leave(this.key);
  }

  #convict(): boolean {
    const reason = "its host ended when it was the only adapter left in it, after others had been moved out";
    return this.#isolate({ reason, sinceMs: this.#options.now() });
  }

  /** `true`: it stays where it is, because its config says so, and what it did counts. */
  #isolate(quarantine: Quarantine): boolean {
    if (this.#options.standing()?.settings.isolation === "thread") return true;
    this.#quarantine = quarantine;
    this.#group = "";
    this.#keep(quarantine);
    this.#options.logger.warn("adapter-quarantined", { key: this.key, reason: quarantine.reason });
    this.#options.blame.absolveOthers(this.key);
    return false;
  }

  #keep(placed: RememberedPlacement | null): void {
    const value = placed === null ? null : JSON.stringify(placed);
    this.#options.store.put(supervisionScopes.placement, this.key, value);
  }
}
