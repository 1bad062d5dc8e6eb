/** Chunks of streams on their way to an adapter: only the latest matters, none is stored, none is waited for. */
import { GatewayError } from "../contract/errors.ts";
import type { Response } from "../contract/response.ts";
import type { Logger } from "../support/logger.ts";
import { after, steadyNow } from "../support/time.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";

const chunkDeadlineMs = 5000;
/** How often one conversation may be edited: platforms count edits, our own pages do not. */
const pushIntervalMs = 1000;
const pullIntervalMs = 100;
const mostStreams = 10_000;

type Chunk = Extract<Response, { readonly kind: "stream_chunk" }>;
type Stream = {
  readonly key: string;
  readonly conversation: string;
  latest: Chunk | null;
  text: string;
  isBusy: boolean;
  nextAtMs: number;
  timer: Disposable | null;
};

/** What the chunks are sent through. `isIdle`: what was said before them durably has been sent. */
export type StreamChunksParts = {
  readonly adapters: OutboundAdapters;
  readonly logger: Logger;
  readonly isIdle: (key: string, conversation: string) => boolean;
};

/** The streams that are open. At most 10,000: the oldest is then forgotten, its end still arrives. */
export class StreamChunks implements Disposable {
  readonly #parts: StreamChunksParts;
  readonly #streams = new Map<string, Stream>();

  constructor(parts: StreamChunksParts) {
    this.#parts = parts;
  }

  /** The whole text so far. Replaces a chunk that is not on its way yet. */
  push(key: string, conversation: string, chunk: Chunk): void {
    const name = `${key}/${conversation}`;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { key, conversation, latest: null, text: "", isBusy: false, nextAtMs: 0, timer: null };
      this.#streams.set(name, stream);
      const [oldest] = this.#streams;
      if (this.#streams.size > mostStreams && oldest !== undefined) this.#forget(oldest[0]);
    }
    stream.latest = chunk;
    stream.text = chunk.text;
    this.#pump(stream);
  }

  /** The stream is over; the last text it had, `""` for none. */
  end(key: string, conversation: string): string {
    return this.#forget(`${key}/${conversation}`);
  }

  [Symbol.dispose](): void {
    for (const name of this.#streams.keys()) this.#forget(name);
  }

  #forget(name: string): string {
    const stream = this.#streams.get(name);
    if (stream === undefined) return "";
    this.#streams.delete(name);
    stream.timer?.[Symbol.dispose]();
    stream.latest = null;
    return stream.text;
  }

  #pump(stream: Stream): void {
    if (stream.latest === null || stream.isBusy || stream.timer !== null) return;
    const { adapters } = this.#parts;
    // Where a stream is not native its end says it all.
    if (adapters.capabilities(stream.key)?.stream_chunk !== "native" || !adapters.isRunning(stream.key)) {
      stream.latest = null;
      return;
    }
    const waitMs = stream.nextAtMs - steadyNow();
    if (waitMs <= 0 && this.#parts.isIdle(stream.key, stream.conversation)) {
      void this.#send(stream, stream.latest);
      return;
    }
    stream.timer = after(Math.max(waitMs, pullIntervalMs), () => {
      stream.timer = null;
      this.#pump(stream);
    });
  }

  async #send(stream: Stream, response: Chunk): Promise<void> {
    const { adapters, logger } = this.#parts;
    const { key, conversation } = stream;
    stream.latest = null;
    stream.isBusy = true;
    stream.nextAtMs = steadyNow() + (adapters.isPull(key) ? pullIntervalMs : pushIntervalMs);
    try {
      const args = { conversation, response, replyTo: null, idempotencyKey: "" };
      await adapters.call(key, "send", args, { deadlineMs: chunkDeadlineMs });
    } catch (reason) {
      // The next chunk says all that this one said.
      logger.debug("stream-chunk-lost", { key, conversation, error: GatewayError.from(reason).message });
    }
    stream.isBusy = false;
    this.#pump(stream);
  }
}
