/** Whether the journal works, who is told, and for how long commits wait for it to work again. */
import { after } from "../support/time.ts";

/** How long a commit waits for a journal in trouble. After that all fail at once, until it is over. Milliseconds. */
export const patienceMs = 5_000;

/** The state of {@link Journal.trouble}. */
export class Trouble {
  readonly #onPatienceLost: () => void;
  readonly #listeners: ((reason: string | null) => void)[] = [];
  #reason: string | null = null;
  #patience: Disposable | null = null;
  #isHopeless = false;

  /** `onPatienceLost` is called once per trouble, {@link patienceMs} after it began. */
  constructor(onPatienceLost: () => void) {
    this.#onPatienceLost = onPatienceLost;
  }

  /** `null` while all is well. */
  get reason(): string | null {
    return this.#reason;
  }

  /** It has lasted too long for anyone to wait. */
  get isHopeless(): boolean {
    return this.#isHopeless;
  }

  listen(listener: (reason: string | null) => void): void {
    this.#listeners.push(listener);
  }

  /** The journal does not work; a trouble that goes on keeps its clock. */
  begin(reason: string): void {
    this.#patience ??= after(patienceMs, () => {
      this.#isHopeless = true;
      this.#onPatienceLost();
    });
    this.#change(reason);
  }

  /** It works. */
  end(): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = null;
    this.#isHopeless = false;
    this.#change(null);
  }

  #change(reason: string | null): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(reason);
  }
}
