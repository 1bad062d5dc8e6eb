/**
 * How fast one may write. Providers publish how many mails a day, which no rate keeps well, and one how many a minute; all
 * of them say when it is too many.
 * {@link https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits}
 */
import type { SendRates } from "../../src/contract/adapter.ts";

/** Thirty a minute, and not one more in the first. */
const microsoft: SendRates = { credential: { perSecond: 0.4, burst: 5 } };
const microsoftDomains = ["office365.com", "outlook.com"];

/** Of the SMTP server `host`. */
export function sendRatesAt(host: string): SendRates {
  const name = host.toLowerCase();
  return microsoftDomains.some((domain) => name === domain || name.endsWith(`.${domain}`)) ? microsoft : {};
}
