/** Which topic a message stands in: Telegram names it with the message, and not with the reactions to it. */

import { BoundedMap } from "../../src/support/bounded-map.ts";

/** Reactions to older messages are taken for the forum's own. */
const mostRemembered = 10_000;

/** The topics of the latest messages, ours and others'. */
export class TopicMemory {
  readonly #topics = new BoundedMap<number>(mostRemembered);

  /** A message that stands in a topic; one that does not needs no memory. */
  remember(chatId: number, messageId: number, topicId: number | null): void {
    if (topicId === null) return;
    this.#topics.set(`${chatId}:${messageId}`, topicId);
  }

  /** `null`: in none, or it is not known any more. */
  topicOf(chatId: number, messageId: number): number | null {
    return this.#topics.get(`${chatId}:${messageId}`) ?? null;
  }
}
