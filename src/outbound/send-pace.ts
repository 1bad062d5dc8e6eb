/**
 * How fast one credential's sends leave: within the rates that its adapter has declared, and not before a server's wait is
 * over. Time is given by the caller, milliseconds since 1970.
 */
import type { SendRates } from "../contract/adapter.ts";
import { TokenBuckets } from "../support/token-buckets.ts";

type ConversationRate = { readonly startsWith: string; readonly buckets: TokenBuckets };

const theCredential = "";

/** One adapter's pace. */
export class SendPace {
  #rates = "";
  #credential: TokenBuckets | null = null;
  #conversations: readonly ConversationRate[] = [];
  /** Conversations that a server has asked to wait, until when. */
  readonly #limited = new Map<string, number>();
  #pausedUntilMs = 0;

  /** From now on these hold. The same ones as before change nothing: a respawn is no reason for a new burst. */
  apply(rates: SendRates): void {
    const text = JSON.stringify(rates);
    if (text === this.#rates) return;
    this.#rates = text;
    const { credential, conversations = [] } = rates;
    this.#credential = credential === undefined ? null : bucketsOf(credential);
    this.#conversations = conversations.map((rate) => ({ startsWith: rate.startsWith, buckets: bucketsOf(rate) }));
  }

  /** How long nothing at all may leave. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#pausedUntilMs - nowMs, this.#credential?.waitMs(theCredential, nowMs) ?? 0);
  }

  /** Leave for one send: 0, or how long its conversation has to wait. Only while {@link SendPace.waitMs} is 0. */
  take(conversation: string, nowMs: number): number {
    const rate = this.#conversations.find(({ startsWith }) => conversation.startsWith(startsWith));
    const waitMs = rate?.buckets.take(conversation, nowMs) ?? 0;
    if (waitMs === 0) this.#credential?.take(theCredential, nowMs);
    return waitMs;
  }

  /** A server asks to wait. One conversation waits by itself; with a second one at the same time it is the credential. */
  limited(conversation: string, untilMs: number, nowMs: number): void {
    for (const [other, otherUntilMs] of this.#limited) if (otherUntilMs <= nowMs) this.#limited.delete(other);
    this.#limited.set(conversation, untilMs);
    if (this.#limited.size > 1) this.#pausedUntilMs = Math.max(...this.#limited.values());
  }
}

function bucketsOf({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }): TokenBuckets {
  return new TokenBuckets({ ratePerSecond: perSecond, burst });
}
