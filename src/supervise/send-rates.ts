/** How fast an adapter says that it may be written to: checked, since it comes from its thread. */
import type { SendRate, SendRates } from "../contract/adapter.ts";

const mostConversationRates = 16;
const longestPrefix = 64;
/** Less often than once an hour is a mistake, not a limit. */
const leastPerSecond = 1 / 3600;

/** What is malformed limits nothing. */
export function parseSendRates(value: unknown): SendRates {
  const { credential, conversations } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const all = parseRate(credential);
  const each = (Array.isArray(conversations) ? conversations : []).slice(0, mostConversationRates).flatMap(parseEach);
  return { ...(all === null ? {} : { credential: all }), ...(each.length === 0 ? {} : { conversations: each }) };
}

function parseEach(value: unknown): NonNullable<SendRates["conversations"]> {
  const { startsWith } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const rate = parseRate(value);
  if (rate === null || typeof startsWith !== "string" || startsWith.length > longestPrefix) return [];
  return [{ ...rate, startsWith }];
}

function parseRate(value: unknown): SendRate | null {
  const { perSecond, burst } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isRate = typeof perSecond === "number" && Number.isFinite(perSecond) && perSecond >= leastPerSecond;
  return isRate && typeof burst === "number" && burst >= 1 && Number.isFinite(burst) ? { perSecond, burst } : null;
}
