/** What adapters report as lost: counted for status and metrics, and said in the log without flooding it. */
import { after } from "../support/time.ts";
import type { Logger } from "../support/logger.ts";

/** One report, or the sum of several. */
export type Missed = { readonly messages: number; readonly gapSeconds: number };

/** After a log line of one key, further reports of it are gathered for so long. */
const quietMs = 60_000;
const nothing: Missed = { messages: 0, gapSeconds: 0 };

/** The counts since the start, by runtime key. */
export class MissedMessages implements Disposable {
  readonly #logger: Logger;
  readonly #onMessages: (key: string, messages: number) => void;
  readonly #gapSeconds = new Map<string, number>();
  /** Keys that were logged less than {@link quietMs} ago, with what came since. */
  readonly #quiet = new Map<string, { gathered: Missed; readonly timer: Disposable }>();

  /** `onMessages`: where lost messages are counted. */
  constructor(parts: { readonly logger: Logger; readonly onMessages: (key: string, messages: number) => void }) {
    this.#logger = parts.logger;
    this.#onMessages = parts.onMessages;
  }

  /** One report. */
  add(key: string, missed: Missed): void {
    if (missed.messages > 0) this.#onMessages(key, missed.messages);
    this.#gapSeconds.set(key, this.gapSeconds(key) + missed.gapSeconds);
    const quiet = this.#quiet.get(key);
    if (quiet === undefined) this.#log(key, missed);
    else quiet.gathered = sum(quiet.gathered, missed);
  }

  /** Seconds of `key` in which something may have been lost. */
  gapSeconds(key: string): number {
    return this.#gapSeconds.get(key) ?? 0;
  }

  /** Logs what is still gathered. */
  [Symbol.dispose](): void {
    for (const [key, { timer, gathered }] of this.#quiet) {
      timer[Symbol.dispose]();
      if (gathered !== nothing) this.#logger.warn("messages-missed", { key, ...gathered });
    }
    this.#quiet.clear();
  }

  #log(key: string, missed: Missed): void {
    this.#logger.warn("messages-missed", { key, messages: missed.messages, gapSeconds: missed.gapSeconds });
    const timer = after(quietMs, () => {
      const { gathered = nothing } = this.#quiet.get(key) ?? {};
      this.#quiet.delete(key);
      if (gathered !== nothing) this.#log(key, gathered);
    });
    this.#quiet.set(key, { gathered: nothing, timer });
  }
}

function sum(left: Missed, right: Missed): Missed {
  return { messages: left.messages + right.messages, gapSeconds: left.gapSeconds + right.gapSeconds };
}
