/** The streams that one adapter has open on a platform that can edit. */
import { GatewayError } from "../contract/errors.ts";
import type { ReplyTo } from "../contract/message.ts";
import { EditStream } from "./edit-stream.ts";
import type { EditStreamOptions } from "./edit-stream.ts";

/** How many, beside how each of them posts and edits. */
export type EditStreamsOptions = EditStreamOptions & {
  /** Beyond it the oldest open stream is forgotten: its end is then posted. */
  readonly mostOpen: number;
};

/** At most one stream per conversation; the whole text goes into it, and at its end all of it is shown. */
export class EditStreams implements Disposable {
  readonly #options: EditStreamsOptions;
  /** The oldest first. */
  readonly #streams = new Map<string, EditStream>();
  #isDisposed = false;

  constructor(options: EditStreamsOptions) {
    this.#options = options;
  }

  /** Posts the placeholder and resolves with its message's id. Replaces a stream of the conversation that never ended. */
  async start(conversation: string, replyTo: ReplyTo | null): Promise<string> {
    const stream = this.#open(conversation);
    try {
      return await stream.start(replyTo);
    } catch (reason) {
      if (stream.isVoid) this.#forget(conversation, stream);
      throw reason;
    }
  }

  /** The whole text so far: shown at most once a period, the latest wins. Without a stream nothing happens: the end will say it. */
  chunk(conversation: string, text: string): void {
    this.#streams.get(conversation)?.chunk(text);
  }

  /**
   * Shows the full text: its first part in the message that was started, the rest, or without such a message all of it,
   * in new ones. An empty `text` stands for the last chunk's. Resolves with the first message's id.
   * @throws {GatewayError} `message_rejected` for no text at all, `adapter_unavailable` once disposed, what an edit that
   * may be tried later rejects with, and what posting does. Ended again with the same text, it goes on where it failed.
   */
  async end(conversation: string, text: string, replyTo: ReplyTo | null): Promise<string> {
    const stream = this.#streams.get(conversation) ?? this.#open(conversation);
    try {
      const messageId = await stream.end(text, replyTo);
      this.#forget(conversation, stream);
      return messageId;
    } catch (reason) {
      if (GatewayError.from(reason).retry.kind === "never") this.#forget(conversation, stream);
      throw reason;
    }
  }

  /** Ends that wait are rejected; whoever sends them again, to the adapter's next life, gets them posted. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const [conversation, stream] of this.#streams) this.#forget(conversation, stream);
  }

  #open(conversation: string): EditStream {
    if (this.#isDisposed)
      throw new GatewayError("adapter_unavailable", "Cannot go on with the stream: the adapter is stopping");
    const old = this.#streams.get(conversation);
    if (old !== undefined) this.#forget(conversation, old);
    const [oldest] = this.#streams;
    if (this.#streams.size >= this.#options.mostOpen && oldest !== undefined) this.#forget(...oldest);
    const stream = new EditStream(conversation, this.#options);
    this.#streams.set(conversation, stream);
    return stream;
  }

  #forget(conversation: string, stream: EditStream): void {
    if (this.#streams.get(conversation) === stream) this.#streams.delete(conversation);
    stream[Symbol.dispose]();
  }
}
