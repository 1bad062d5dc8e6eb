/** One stream of a platform that can edit: a placeholder is posted, edited as the text grows, and says everything at the end. */
import { GatewayError } from "../contract/errors.ts";
import type { ReplyTo } from "../contract/message.ts";
import { after, orAborted } from "./time.ts";

/** How a stream posts and edits. `post` and `edit` have deadlines of their own. */
export type EditStreamOptions = {
  /** Least time between two edits in a conversation, milliseconds. */
  readonly periodMs: number;
  /** Resolves with the platform's id of the new message. */
  readonly post: (conversation: string, text: string, replyTo: ReplyTo | null) => Promise<string>;
  readonly edit: (conversation: string, messageId: string, text: string) => Promise<void>;
  /** A text in parts of which each fits one message; none for a text that shows nothing. */
  readonly fit: (text: string) => readonly string[];
  readonly placeholder: string;
  /** Failed edits, which the next one makes up for. */
  readonly onError: (reason: unknown) => void;
};

/** A stream from its start to its end, or an end whose start another life of the adapter has seen. */
export class EditStream implements Disposable {
  readonly #conversation: string;
  readonly #options: EditStreamOptions;
  readonly #disposing = new AbortController();
  /** `null`: nothing is there that could be edited. */
  #messageId: string | null = null;
  /** What that message shows. */
  #shown = "";
  /** The whole text so far. */
  #latest = "";
  /** A chunk came after the last edit. */
  #isDirty = false;
  /** Settles, and never rejects, when what is on its way has arrived or failed. */
  #work: Promise<void> = Promise.resolve();
  #isBusy = false;
  /** Runs until the next edit is allowed. */
  #cooling: Disposable | null = null;
  #onCool: (() => void) | null = null;
  /** The platform's word for why the next edit is not allowed. */
  #limit: GatewayError | null = null;
  #ending: Promise<string> | null = null;
  /** What the end says, `null` before it, and how many of its parts are shown. */
  #ended: string | null = null;
  #partsShown = 0;
  #firstId = "";

  constructor(conversation: string, options: EditStreamOptions) {
    this.#conversation = conversation;
    this.#options = options;
  }

  /** Nothing was posted, and no end waits for it: the stream can be forgotten. */
  get isVoid(): boolean {
    return this.#messageId === null && this.#ended === null;
  }

  /** Posts the placeholder and resolves with its message's id. To be called once, first of all. */
  start(replyTo: ReplyTo | null): Promise<string> {
    const posting = this.#post(replyTo);
    this.#work = settled(posting);
    return posting;
  }

  /** The whole text so far. The latest is shown when the period allows. */
  chunk(text: string): void {
    if (this.#ended !== null) return;
    this.#latest = text;
    this.#isDirty = true;
    this.#pump();
  }

  /** As {@link EditStreams.end}. Called again it goes on where it failed, and joins an end that is at work. */
  async end(text: string, replyTo: ReplyTo | null): Promise<string> {
    const full = text === "" ? this.#latest : text;
    if (this.#ending !== null && this.#ended === full) return this.#ending;
    if (this.#ended !== full) this.#partsShown = 0;
    this.#ended = full;
    this.#ending = this.#end(full, replyTo);
    try {
      return await this.#ending;
    } finally {
      this.#ending = null;
    }
  }

  /** No more edits. An end that waits for one is rejected with `adapter_unavailable`. */
  [Symbol.dispose](): void {
    this.#disposing.abort(new GatewayError("adapter_unavailable", "Cannot go on with the stream: it was given up"));
    this.#cooling?.[Symbol.dispose]();
    this.#cooling = null;
  }

  async #post(replyTo: ReplyTo | null): Promise<string> {
    const { post, placeholder, periodMs } = this.#options;
    const messageId = await post(this.#conversation, placeholder, replyTo);
    this.#messageId = messageId;
    this.#shown = placeholder;
    this.#cool(periodMs, null);
    return messageId;
  }

  async #end(full: string, replyTo: ReplyTo | null): Promise<string> {
    const { signal } = this.#disposing;
    await orAborted(this.#work, signal);
    const parts = this.#options.fit(full);
    if (parts.length === 0 && this.#messageId === null)
      throw new GatewayError("message_rejected", "Cannot end the stream: the text is empty, expected some");
    if (this.#partsShown === 0 && this.#messageId !== null)
      await this.#showFirst(this.#messageId, parts[0] ?? this.#shown);
    for (const part of parts.slice(this.#partsShown)) {
      signal.throwIfAborted();
      const id = await this.#options.post(this.#conversation, part, replyTo);
      if (this.#partsShown === 0) this.#firstId = id;
      this.#partsShown += 1;
    }
    return this.#firstId;
  }

  /** Turns the message that was started into the first part; where that fails the part is left to be posted. */
  async #showFirst(messageId: string, part: string): Promise<void> {
    try {
      if (this.#shown !== part) {
        await this.#cooled();
        this.#cool(this.#options.periodMs, null);
        await this.#options.edit(this.#conversation, messageId, part);
        this.#shown = part;
      }
      this.#firstId = messageId;
      this.#partsShown = 1;
    } catch (reason) {
      // A post would be refused just as well; the end is sent again when it may be.
      if (this.#disposing.signal.aborted || GatewayError.from(reason).retry.kind === "after") throw reason;
      this.#options.onError(reason);
      this.#messageId = null;
    }
  }

  #pump(): void {
    const messageId = this.#messageId;
    if (messageId === null || !this.#isDirty || this.#isBusy || this.#cooling !== null) return;
    if (this.#ended !== null || this.#disposing.signal.aborted) return;
    this.#isDirty = false;
    const [part] = this.#options.fit(this.#latest);
    // Platforms refuse an edit that changes nothing.
    if (part === undefined || part === this.#shown) return;
    this.#isBusy = true;
    this.#cool(this.#options.periodMs, null);
    this.#work = this.#edit(messageId, part);
  }

  async #edit(messageId: string, part: string): Promise<void> {
    try {
      await this.#options.edit(this.#conversation, messageId, part);
      this.#shown = part;
    } catch (reason) {
      const error = GatewayError.from(reason);
      if (error.retry.kind === "after") this.#cool(Math.max(error.retry.delayMs, this.#options.periodMs), error);
      this.#options.onError(reason);
    }
    this.#isBusy = false;
    this.#pump();
  }

  /** No edit before `delayMs` are over. */
  #cool(delayMs: number, limit: GatewayError | null): void {
    this.#cooling?.[Symbol.dispose]();
    if (this.#disposing.signal.aborted) return;
    this.#limit = limit;
    this.#cooling = after(delayMs, () => {
      this.#cooling = null;
      this.#limit = null;
      this.#onCool?.();
      this.#pump();
    });
  }

  /** Waits for our own period; what the platform asks for may take minutes, which whoever sends the end waits out. */
  async #cooled(): Promise<void> {
    if (this.#limit !== null) throw this.#limit;
    if (this.#cooling === null) return;
    const cooled = Promise.withResolvers<void>();
    this.#onCool = cooled.resolve;
    await orAborted(cooled.promise, this.#disposing.signal);
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await Promise.allSettled([promise]);
}
