/**
 * How fast an app may write: a message a second in a channel with short bursts, several hundred a minute in a workspace.
 * {@link https://docs.slack.dev/apis/web-api/rate-limits/}
 */
import type { SendRates } from "../../src/contract/adapter.ts";

/** Slack's own; another server (`api_url`) has its own and says so by 429. */
export function sendRatesAt(apiUrl: string): SendRates {
  if (apiUrl !== "") return {};
  return {
    credential: { perSecond: 5, burst: 30 },
    conversations: [{ startsWith: "", perSecond: 1, burst: 5 }],
  };
}
