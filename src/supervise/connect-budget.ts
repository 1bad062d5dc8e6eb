/**
 * Leave to connect, per credential: a platform that counts logins (Discord: 1,000 IDENTIFY a day, then it resets the token) must
 * never see the last of them. Kept on disk before it is granted, so that a crash loop cannot spend it unseen.
 * {@link https://discord.com/developers/docs/events/gateway#session-start-limit-object}
 */
import { GatewayError } from "../contract/errors.ts";
import { steadyNow } from "../support/time.ts";
import { budgetRefusalText } from "./failure.ts";

/** What a platform allows in a day, and the share of it that is granted. */
export const connectLimit = { perDay: 1000, share: 0.8 } as const;
/** A resumed session is not a login. */
const freeKinds: ReadonlySet<string> = new Set(["resume"]);
const hourMs = 3_600_000;
const dayHours = 24;

/** Where grants are kept, one value per credential and kind. */
export interface BudgetStore {
  load(): Promise<Readonly<Record<string, string>>>;
  /** Resolves when it is on disk. */
  save(key: string, value: string): Promise<void>;
}

/** Granted, or how long to wait. */
export type BudgetVerdict =
  | { readonly kind: "granted" }
  | { readonly kind: "refused"; readonly retryAfterMs: number; readonly error: GatewayError };

/** Grants by hour since the epoch; only the last day counts. */
type Grants = ReadonlyMap<number, number>;

/** The budgets of all credentials. */
export class ConnectBudget {
  readonly #store: BudgetStore;
  readonly #grants: Map<string, Grants>;

  private constructor(store: BudgetStore, grants: Map<string, Grants>) {
    this.#store = store;
    this.#grants = grants;
  }

  /** With what earlier lives of the coordinator have granted. */
  static async start(store: BudgetStore): Promise<ConnectBudget> {
    const entries = Object.entries(await store.load());
    return new ConnectBudget(store, new Map(entries.map(([key, value]) => [key, parseGrants(value)])));
  }

  /**
   * One connection. `credential` is a fingerprint, never the secret itself.
   * @throws {GatewayError} `journal_unavailable` when a grant could not be kept; it is not given then.
   */
  async acquire(credential: string, kind: string, nowMs: number = steadyNow()): Promise<BudgetVerdict> {
    if (freeKinds.has(kind)) return { kind: "granted" };
    const key = `${credential} ${kind}`;
    const hour = Math.floor(nowMs / hourMs);
    const grants = recent(this.#grants.get(key) ?? new Map<number, number>(), hour);
    const retryAtHour = nextFreeHour(grants);
    if (retryAtHour !== null) {
      this.#grants.set(key, grants);
      return refused(kind, retryAtHour * hourMs - nowMs);
    }
    const next = new Map(grants).set(hour, (grants.get(hour) ?? 0) + 1);
    // Counted before it is kept: of two that ask at once, both must count.
    this.#grants.set(key, next);
    await this.#store.save(key, JSON.stringify([...next]));
    return { kind: "granted" };
  }
}

function refused(kind: string, retryAfterMs: number): BudgetVerdict {
  const allowed = connectLimit.perDay * connectLimit.share;
  const error = new GatewayError(
    "rate_limited",
    `Cannot connect: the ${budgetRefusalText} for "${kind}" is used up, ${allowed} in a day are granted`,
    { retry: { kind: "after", delayMs: retryAfterMs } },
  );
  return { kind: "refused", retryAfterMs, error };
}

/** The hour that was only begun a day ago counts in full: better one too few than one too many. So does what a clock put back has made tomorrow. */
function recent(grants: Grants, hour: number): Grants {
  return new Map([...grants].filter(([at]) => Math.abs(hour - at) <= dayHours));
}

/** When enough hours have passed out of the last day; `null`: now. */
function nextFreeHour(grants: Grants): number | null {
  let used = [...grants.values()].reduce((sum, count) => sum + count, 0);
  const allowed = connectLimit.perDay * connectLimit.share;
  if (used < allowed) return null;
  for (const [hour, count] of [...grants].toSorted(([left], [right]) => left - right)) {
    used -= count;
    if (used < allowed) return hour + dayHours + 1;
  }
  return null;
}

function parseGrants(value: string): Grants {
  try {
    const parsed: unknown = JSON.parse(value);
    if (!Array.isArray(parsed)) return new Map();
    return new Map(parsed.filter(isGrant));
  } catch {
    // Written by nobody we know: an empty budget is the state of a new install.
    return new Map();
  }
}

function isGrant(entry: unknown): entry is [number, number] {
  return Array.isArray(entry) && entry.length === 2 && entry.every((part) => Number.isSafeInteger(part));
}
