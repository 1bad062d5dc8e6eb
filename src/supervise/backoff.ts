/** One adapter's streak of failures and its copy on disk. */
import type { AdapterSpec } from "../contract/spec.ts";
import type { Failure } from "./failure.ts";
import { cleanStreak, healthyStreak, restartDelay, type RestartPlan, type Streak } from "./restart-policy.ts";
import { supervisionScopes, type BackoffRecord, type SmallStore } from "./supervision-store.ts";

/** What an adapter's backoff works with. */
export type BackoffOptions = {
  readonly key: string;
  readonly store: SmallStore;
  readonly random: () => number;
  readonly remembered: BackoffRecord | null;
};

/** Keeps the streak. */
export class Backoff {
  readonly #options: BackoffOptions;
  #streak: Streak;
  #remembered: BackoffRecord | null;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#remembered = options.remembered;
    this.#streak = cleanStreak;
  }

  /** Failures since it was last well. */
  get attempt(): number {
    return this.#streak.attempt;
  }

  /**
   * Takes up what an earlier coordinator left, once, with the first spec: `null` when there is nothing, when the spec is another one,
   * or when it was not waiting any more.
   */
  recall(spec: AdapterSpec, nowMs: number): BackoffRecord | null {
    const record = this.#remembered;
    if (record === null) return null;
    if (record.fingerprint !== fingerprintOf(spec)) {
      this.clear();
      return null;
    }
    this.#remembered = null;
    // What is said to have failed in the future has failed: when, nobody knows any more.
    this.#streak = { ...record.streak, failuresAtMs: record.streak.failuresAtMs.filter((atMs) => atMs <= nowMs) };
    const nextRetryAtMs = Math.min(record.nextRetryAtMs, nowMs + record.delayMs);
    return nextRetryAtMs > nowMs ? { ...record, nextRetryAtMs } : null;
  }

  /** One more failure: what it leads to, kept on disk. */
  plan(cause: Failure, spec: AdapterSpec, nowMs: number): RestartPlan {
    const plan = restartDelay(this.#streak, cause, { settings: spec.supervisor, nowMs, random: this.#options.random });
    this.#streak = plan.streak;
    const record: BackoffRecord = {
      streak: plan.streak,
      fingerprint: fingerprintOf(spec),
      reason: cause.reason,
      needsAttention: plan.needsAttention,
      nextRetryAtMs: nowMs + plan.delayMs,
      delayMs: plan.delayMs,
    };
    this.#put(JSON.stringify(record));
    return plan;
  }

  /** It ran for `stable_after_ms`. */
  markHealthy(): void {
    if (this.#streak.wasHealthy) return;
    this.#forget(healthyStreak);
  }

  /** Its config has changed, or a person has stepped in. */
  clear(): void {
    this.#forget(cleanStreak);
  }

  #forget(streak: Streak): void {
    const isKept = this.#streak.attempt > 0 || this.#remembered !== null;
    this.#streak = streak;
    this.#remembered = null;
    if (isKept) this.#put(null);
  }

  #put(value: string | null): void {
    this.#options.store.put(supervisionScopes.backoff, this.#options.key, value);
  }
}

function fingerprintOf(spec: AdapterSpec): string {
  return `${spec.fingerprints.connection} ${spec.fingerprints.policy}`;
}
