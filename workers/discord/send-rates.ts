/**
 * How fast a bot may write: fifty requests a second in all, and five messages in five seconds in a channel. The library keeps
 * each route's own limits as well; what waits here does not wait there with its deadline running.
 * {@link https://discord.com/developers/docs/topics/rate-limits}
 */
import type { SendRates } from "../../src/contract/adapter.ts";

/** Discord's own; another server (`api_url`) has its own and says so by 429. */
export function sendRatesAt(apiUrl: string): SendRates {
  if (apiUrl !== "") return {};
  return {
    credential: { perSecond: 40, burst: 40 },
    conversations: [{ startsWith: "", perSecond: 1, burst: 5 }],
  };
}
