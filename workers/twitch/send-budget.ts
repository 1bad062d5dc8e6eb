/**
 * How many messages the account may send: who sends more is not heard for half an hour. Twitch counts each account as a whole, and allows
 * it more where it moderates. {@link https://dev.twitch.tv/docs/chat/#rate-limits}
 */

const periodMs = 30_000;
/** Messages that were sent apart may arrive together. */
const marginMs = 1_000;
const limits = { ordinary: 20, moderator: 100 } as const;

/** The messages of one account in the last half minute. Time is given by the caller, milliseconds of a clock that nobody puts. */
export class SendBudget {
  #sentAtMs: readonly number[] = [];

  /** Takes leave to send one message: 0 when there is, else the milliseconds until there may be. */
  take(nowMs: number, isModerator: boolean): number {
    const limit = isModerator ? limits.moderator : limits.ordinary;
    const recent = this.#sentAtMs.filter((atMs) => nowMs - atMs < periodMs + marginMs);
    this.#sentAtMs = recent;
    // In a channel that allows more, more may have been sent than this one allows.
    const last = recent[recent.length - limit];
    if (last !== undefined) return last + periodMs + marginMs - nowMs;
    this.#sentAtMs = [...recent, nowMs];
    return 0;
  }

  /** Twitch says that there is nothing left, whoever used it up. */
  exhaust(nowMs: number): void {
    this.#sentAtMs = Array.from({ length: limits.moderator }, () => nowMs);
  }
}
