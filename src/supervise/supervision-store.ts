/** What supervision keeps on disk: backoff (so that a killed coordinator does not forget it), placement with its reason, pauses. */
import { reasons, type Reason } from "../contract/status.ts";
import type { RememberedPlacement } from "./host-quarantine.ts";
import type { Pause } from "./pause-record.ts";
import { cleanStreak, type Streak } from "./restart-policy.ts";

/** Small durable state. `put` is written behind; `null` removes. */
export interface SmallStore {
  load(scope: string): Promise<Readonly<Record<string, string>>>;
  put(scope: string, key: string, value: string | null): void;
}

/** The scopes used here, by runtime key. */
export const supervisionScopes = { backoff: "backoff", placement: "placement", pause: "pause" } as const;

/** An adapter's streak as it is kept. */
export type BackoffRecord = {
  readonly streak: Streak;
  /** Of the spec it was earned with: another spec starts afresh. */
  readonly fingerprint: string;
  readonly reason: Reason;
  readonly needsAttention: boolean;
  /** Milliseconds since the epoch; in the past: it was not waiting any more. */
  readonly nextRetryAtMs: number;
  /** How long it was to wait then: longer it does not, wherever the clock has been put meanwhile. */
  readonly delayMs: number;
};

/** What is known of one key from before. */
export type Remembered = {
  readonly backoff: BackoffRecord | null;
  readonly placement: RememberedPlacement | null;
  readonly pause: Pause | null;
};

/** Nothing. */
export const nothingRemembered: Remembered = { backoff: null, placement: null, pause: null };

/** All that earlier lives of the coordinator left, by runtime key. What cannot be read is dropped: it is only what was held against it. */
export async function loadRemembered(store: SmallStore): Promise<ReadonlyMap<string, Remembered>> {
  const [backoff, placement, pauses] = await Promise.all([
    store.load(supervisionScopes.backoff),
    store.load(supervisionScopes.placement),
    store.load(supervisionScopes.pause),
  ]);
  const keys = new Set([backoff, placement, pauses].flatMap((scope) => Object.keys(scope)));
  return new Map(
    [...keys].map((key): [string, Remembered] => [
      key,
      {
        backoff: parseBackoff(backoff[key]),
        placement: parsePlacement(placement[key]),
        pause: parsePause(pauses[key]),
      },
    ]),
  );
}

function parseBackoff(text: string | undefined): BackoffRecord | null {
  const record = parseObject(text);
  if (record === null) return null;
  const streak = (record["streak"] ?? {}) as Partial<Record<keyof Streak, unknown>>;
  const { attempt, failuresAtMs, isSlow, wasHealthy } = streak;
  const { fingerprint, reason, needsAttention, nextRetryAtMs, delayMs } = record;
  if (typeof attempt !== "number" || !Array.isArray(failuresAtMs) || typeof fingerprint !== "string") return null;
  return {
    streak: {
      ...cleanStreak,
      attempt,
      failuresAtMs: failuresAtMs.filter((at) => typeof at === "number"),
      isSlow: isSlow === true,
      wasHealthy: wasHealthy === true,
    },
    fingerprint,
    reason: isReason(reason) ? reason : "none",
    needsAttention: needsAttention === true,
    nextRetryAtMs: typeof nextRetryAtMs === "number" ? nextRetryAtMs : 0,
    delayMs: typeof delayMs === "number" ? delayMs : 0,
  };
}

function parsePlacement(text: string | undefined): RememberedPlacement | null {
  const { reason, group, sinceMs } = parseObject(text) ?? {};
  if (typeof sinceMs !== "number") return null;
  if (typeof group === "string") return { group, sinceMs };
  return typeof reason === "string" ? { reason, sinceMs } : null;
}

function parsePause(text: string | undefined): Pause | null {
  const record = parseObject(text);
  if (record === null) return null;
  const { owner, sinceMs } = record;
  if (owner !== "config" && owner !== "shared") return null;
  return typeof sinceMs === "number" ? { owner, sinceMs } : null;
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> | null {
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    // A torn or foreign value: the same as none.
    return null;
  }
}

function isReason(value: unknown): value is Reason {
  return typeof value === "string" && (reasons as readonly string[]).includes(value);
}
