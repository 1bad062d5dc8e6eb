/** What is done when a new session begins where an old one could not be resumed: read what was missed, count what cannot be. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { sleep } from "../../src/support/time.ts";
import { catchUp, type CatchUpParts } from "./catch-up.ts";
import { childrenOf, idOf, type Payload } from "./payload.ts";
import type { Inbox } from "./inbox.ts";

/** What a recovery works with. */
export type RecoveryParts = CatchUpParts & {
  readonly inbox: Pick<Inbox, "hold" | "release">;
  readonly context: Pick<AdapterContext, "missed" | "log">;
  /** The setting. */
  readonly isWanted: boolean;
};

/** Discord tells of its guilds right after READY. */
const guildsDeadlineMs = 5_000;

/** One generation's recoveries, one at a time. */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #guilds = new Set<string>();
  #told: (() => void) | null = null;
  #work: Promise<void> = Promise.resolve();
  #running = 0;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** A session began anew; since `sinceMs` nothing was heard. What comes now waits until what was missed is in. */
  begin(ready: Payload, sinceMs: number): void {
    const { inbox } = this.#parts;
    this.#guilds.clear();
    for (const guild of childrenOf(ready, "guilds")) this.#guilds.add(idOf(guild, "id") ?? "");
    inbox.hold();
    this.#running += 1;
    this.#work = this.#runAfter(this.#work, sinceMs);
  }

  async #runAfter(before: Promise<void>, sinceMs: number): Promise<void> {
    await before;
    await this.#recover(sinceMs);
    this.#running -= 1;
    if (this.#running === 0) this.#parts.inbox.release();
  }

  /** Discord told of a guild, or that it is out of order. */
  sawGuild(guildId: string): void {
    this.#guilds.delete(guildId);
    if (this.#guilds.size === 0) this.#told?.();
  }

  async #recover(sinceMs: number): Promise<void> {
    const { context, isWanted, signal } = this.#parts;
    if (signal.aborted) return;
    const gapSeconds = Math.max(1, Math.ceil((Date.now() - sinceMs) / 1000));
    if (!isWanted) {
      context.missed({ gapSeconds });
      context.log.warn("discord-gap", { gapSeconds });
      return;
    }
    await this.#guildsTold();
    const { isComplete, messages, channels } = await catchUp(this.#parts, sinceMs);
    if (signal.aborted) return;
    context.log.info("discord-caught-up", { gapSeconds, messages, channels, isComplete });
    if (!isComplete) context.missed({ gapSeconds });
  }

  async #guildsTold(): Promise<void> {
    if (this.#guilds.size === 0) return;
    const told = Promise.withResolvers<void>();
    this.#told = told.resolve;
    const enough = new AbortController();
    // A guild that is not told of in time is out of order: it has no channels to read.
    const late = sleep(guildsDeadlineMs, AbortSignal.any([enough.signal, this.#parts.signal])).catch(() => {});
    await Promise.race([told.promise, late]);
    enough.abort();
    this.#told = null;
  }
}
