/** Where answers can be sent that one person alone sees: kept in this thread's memory, for as long as Slack takes them. */
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { steadyNow } from "../../src/support/time.ts";

type Entry = { readonly url: string; readonly user: string; readonly expiresAtMs: number; uses: number };

/** Slack's own limits, less a minute. */
const keepMs = 29 * 60_000;
const mostUses = 5;
const mostUrls = 10_000;

/** The addresses of one adapter, by trigger id. After a respawn there are none: answers are then plain messages. */
export class ResponseUrls {
  readonly #entries = new BoundedMap<Entry>(mostUrls);

  /** Keeps `url` for the answers to `trigger`, which `user` asked for. */
  add(trigger: string, url: string, user: string): void {
    this.#entries.set(trigger, { url, user, expiresAtMs: steadyNow() + keepMs, uses: 0 });
  }

  /** Uses the address once; `null`: there is none, it is used up, too old, or another person's. */
  take(trigger: string, user: string): string | null {
    const entry = this.#entries.get(trigger);
    if (entry === undefined || entry.user !== user) return null;
    if (entry.expiresAtMs > steadyNow() && entry.uses < mostUses) {
      entry.uses += 1;
      return entry.url;
    }
    this.#entries.delete(trigger);
    return null;
  }
}
