/** That a person has paused one adapter, and the copy of it on disk: a restart of the gateway does not end a pause. */
import type { AdapterSpec } from "../contract/spec.ts";
import { supervisionScopes, type SmallStore } from "./supervision-store.ts";

/** A pause as it is kept. `owner`: who may end it for good by no longer wanting the adapter, the config or code. */
export type Pause = {
  readonly owner: AdapterSpec["owner"];
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
};

/** Keeps one adapter's pause until `resume`, `restart` or the removal of its key. */
export class PauseRecord {
  readonly #key: string;
  readonly #store: SmallStore;
  #pause: Pause | null;

  constructor(options: { readonly key: string; readonly store: SmallStore; readonly remembered: Pause | null }) {
    this.#key = options.key;
    this.#store = options.store;
    this.#pause = options.remembered;
  }

  /** `null`: it is not paused. */
  get pause(): Pause | null {
    return this.#pause;
  }

  /** A further order to pause changes nothing. */
  set(pause: Pause): void {
    if (this.#pause !== null) return;
    this.#pause = pause;
    this.#store.put(supervisionScopes.pause, this.#key, JSON.stringify(pause));
  }

  /** It is over. */
  clear(): void {
    if (this.#pause === null) return;
    this.#pause = null;
    this.#store.put(supervisionScopes.pause, this.#key, null);
  }
}
