/** Typing indicators: what a platform shows for a few seconds only is shown again until it is no longer true. */
import { after, every } from "./time.ts";

/** How one adapter's indicators are shown. Times in milliseconds. */
export type TypingIndicatorOptions = {
  /** Shorter than the platform's own time. */
  readonly periodMs: number;
  /** After the last start; a handler that forgot to stop must not type for ever. */
  readonly longestMs: number;
  /** `signal` is aborted when the indicator is over. */
  readonly show: (conversation: string, signal: AbortSignal) => Promise<void>;
  /** Told of the first of several failures in a row. */
  readonly onError: (reason: unknown) => void;
};

type Indicator = {
  readonly ending: AbortController;
  readonly repeating: Disposable;
  deadline: Disposable;
  isBusy: boolean;
  isFailing: boolean;
};

/** The indicators of one adapter: one loop per conversation, however often it was started. */
export class TypingIndicators implements Disposable {
  readonly #options: TypingIndicatorOptions;
  readonly #indicators = new Map<string, Indicator>();
  #isDisposed = false;

  constructor(options: TypingIndicatorOptions) {
    this.#options = options;
  }

  /** Shows it now and again every period. Started once more, only its time begins anew. */
  start(conversation: string): void {
    if (this.#isDisposed) return;
    const known = this.#indicators.get(conversation);
    if (known !== undefined) {
      known.deadline[Symbol.dispose]();
      known.deadline = this.#deadline(conversation);
      return;
    }
    const { periodMs, onError } = this.#options;
    const indicator: Indicator = {
      ending: new AbortController(),
      repeating: every(periodMs, () => void this.#show(conversation, indicator), onError),
      deadline: this.#deadline(conversation),
      isBusy: false,
      isFailing: false,
    };
    this.#indicators.set(conversation, indicator);
    void this.#show(conversation, indicator);
  }

  /** Ends it; the platform takes it off by itself. Where there is none, nothing happens. */
  stop(conversation: string): void {
    const indicator = this.#indicators.get(conversation);
    if (indicator === undefined) return;
    this.#indicators.delete(conversation);
    indicator.repeating[Symbol.dispose]();
    indicator.deadline[Symbol.dispose]();
    indicator.ending.abort();
  }

  /** Ends all of them, and starts no more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const conversation of this.#indicators.keys()) this.stop(conversation);
  }

  #deadline(conversation: string): Disposable {
    return after(this.#options.longestMs, () => this.stop(conversation));
  }

  async #show(conversation: string, indicator: Indicator): Promise<void> {
    // A call that hangs is not joined by more of them: the signal ends it with the indicator.
    if (indicator.isBusy) return;
    const { signal } = indicator.ending;
    indicator.isBusy = true;
    try {
      await this.#options.show(conversation, signal);
      indicator.isFailing = false;
    } catch (reason) {
      if (!signal.aborted && !indicator.isFailing) this.#options.onError(reason);
      indicator.isFailing = true;
    }
    indicator.isBusy = false;
  }
}
