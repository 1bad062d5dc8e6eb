/** The latest text of each running stream: worth showing to whoever polls just now, and never stored. */

/** Oldest first out beyond either of these. */
const maxConversations = 1_000;
const maxCharacters = 8_388_608;

type Chunk = { readonly text: string; isFresh: boolean };

/** One chunk per conversation. */
export class StreamChunks {
  readonly #chunks = new Map<string, Chunk>();
  #characters = 0;

  /** Replaces the conversation's chunk: each carries the full text so far. */
  put(conversation: string, text: string): void {
    this.clear(conversation);
    this.#chunks.set(conversation, { text, isFresh: true });
    this.#characters += text.length;
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= maxConversations && this.#characters <= maxCharacters) return;
      this.clear(oldest);
    }
  }

  /** Whether there is one that no poll has had yet. */
  isFresh(conversation: string): boolean {
    return this.#chunks.get(conversation)?.isFresh ?? false;
  }

  /** The latest text; from now on it is no longer fresh. */
  take(conversation: string): string | null {
    const chunk = this.#chunks.get(conversation);
    if (chunk === undefined) return null;
    chunk.isFresh = false;
    return chunk.text;
  }

  /** The stream is over. */
  clear(conversation: string): void {
    const chunk = this.#chunks.get(conversation);
    if (chunk === undefined) return;
    this.#chunks.delete(conversation);
    this.#characters -= chunk.text.length;
  }
}
