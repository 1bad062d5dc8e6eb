/**
 * How fast a bot may write: thirty messages a second in all, one a second in a chat with short bursts, twenty a minute in a group.
 * {@link https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this}
 */
import type { SendRates } from "../../src/contract/adapter.ts";

const group = { perSecond: 20 / 60, burst: 20 };

/** Telegram's own, as far as they are told; another server (`api_url`) has its own and says so by 429. */
export function sendRatesAt(apiUrl: string): SendRates {
  if (apiUrl !== "") return {};
  return {
    credential: { perSecond: 30, burst: 30 },
    // Groups and channels have negative ids; a public one may be addressed by its name.
    conversations: [
      { startsWith: "-", ...group },
      { startsWith: "@", ...group },
      { startsWith: "", perSecond: 1, burst: 5 },
    ],
  };
}
