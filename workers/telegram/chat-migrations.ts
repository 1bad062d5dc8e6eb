/** Groups that have become supergroups: Telegram gives them another id and forgets the old one. */
import type { AdapterLog } from "../../src/contract/adapter.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";

const mostMigrations = 1_000;

/** Where the chats of old ids are now. What is forgotten is learnt anew from the next refusal. */
export class ChatMigrations {
  readonly #log: AdapterLog;
  readonly #targets = new BoundedMap<string>(mostMigrations);

  constructor(log: AdapterLog) {
    this.#log = log;
  }

  /** The chat is known under another id from now on. */
  add(from: string, to: string): void {
    if (this.#targets.get(from) === to) return;
    this.#targets.set(from, to);
    this.#log.warn("telegram-chat-migrated", { from, to });
  }

  /** The id that is true now. */
  resolve(chatId: number | string): number | string {
    const target = this.#targets.get(String(chatId));
    return target === undefined ? chatId : Number(target);
  }
}
