/** `context.emit`: messages become bytes once, wait for credit, travel in batches, and resolve when they are on disk. */
import { hash } from "node:crypto";
import { GatewayError } from "../src/contract/errors.ts";
import { frameKinds, parseMeta, type Frame } from "../src/contract/frame.ts";
import type { EmittedMessage, RoutingHeader } from "../src/contract/message.ts";
import { creditWindow, frameMessageLimit, type AcceptedMeta } from "../src/contract/protocol.ts";
import { after } from "../src/support/time.ts";
import { encodeMessage } from "./encode-message.ts";
import type { ThreadPort } from "./thread-port.ts";

/** A frame leaves as soon as the loop turns while fewer than this many are unanswered, and after 5 ms at the latest. */
const eagerFrames = 2;
const longestGatherMs = 5;

type Waiting = {
  readonly header: RoutingHeader;
  readonly payload: Uint8Array;
  readonly done: (error: GatewayError | null) => void;
};
type Sent = {
  readonly messages: readonly Waiting[];
  readonly bytes: number;
  readonly stored: PromiseWithResolvers<void> | null;
};
type ResumeState = { readonly state: unknown; readonly stored: PromiseWithResolvers<void> };

type EmitterPort = Pick<ThreadPort, "onFrame" | "onTurnEnd" | "send">;

/** The sending end of one generation. */
export class Emitter {
  readonly #port: EmitterPort;
  readonly #identity: { readonly key: string; readonly platform: string };
  readonly #sent = new Map<number, Sent>();
  #queue: Waiting[] = [];
  #queueStart = 0;
  #resume: ResumeState | null = null;
  #lastFrame = 0;
  #unacceptedMessages = 0;
  #unacceptedBytes = 0;
  #scheduled = false;
  #isGathering = false;

  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  constructor(port: EmitterPort, identity: { readonly key: string; readonly platform: string }) {
    this.#port = port;
    this.#identity = identity;
    port.onFrame(frameKinds.accepted, (frame) => this.#onAccepted(frame));
  }

  /** See {@link AdapterContext.emit}. */
  emit(input: EmittedMessage | readonly EmittedMessage[]): Promise<readonly string[]> {
    const messages: readonly EmittedMessage[] = Array.isArray(input) ? input : [input as EmittedMessage];
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    let encoded: ReturnType<typeof encodeMessage>[];
    try {
      encoded = messages.map((message) => encodeMessage(message, this.#identity, hash));
    } catch (reason) {
      reject(GatewayError.from(reason));
      return promise;
    }
    let left = encoded.length;
    if (left === 0) resolve([]);
    let failure: GatewayError | null = null;
    const done = (error: GatewayError | null): void => {
      failure ??= error;
      left -= 1;
      if (left > 0) return;
      if (failure === null) resolve(encoded.map(({ header }) => header.id));
      else reject(failure);
    };
    for (const { header, payload } of encoded) this.#queue.push({ header, payload, done });
    this.#schedule();
    return promise;
  }

  /** Stores a resume state in one transaction with everything emitted before it. */
  storeResume(state: unknown): Promise<void> {
    const stored = this.#resume?.stored ?? Promise.withResolvers<void>();
    this.#resume = { state, stored };
    this.#schedule();
    return stored.promise;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    if (this.#sent.size >= eagerFrames) {
      // The other side is busy: gather more until it answers, but never for long.
      if (this.#isGathering) return;
      this.#isGathering = true;
      after(longestGatherMs, () => {
        this.#isGathering = false;
        this.#flush();
      });
      return;
    }
    this.#scheduled = true;
    this.#port.onTurnEnd(this.#onTurnEnd);
  }

  #flush(): void {
    while (this.#takeFrame());
  }

  /** Sends one frame of what credit allows; `false` when nothing more can go now. */
  #takeFrame(): boolean {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (let index = this.#queueStart; index < this.#queue.length && batch.length < frameMessageLimit; index += 1) {
      const next = this.#queue[index];
      if (next === undefined || !this.#hasCredit(batch.length, bytes + next.payload.length)) break;
      batch.push(next);
      bytes += next.payload.length;
    }
    this.#queueStart += batch.length;
    const isQueueEmpty = this.#queueStart === this.#queue.length;
    if (isQueueEmpty || this.#queueStart > 4096) {
      this.#queue = this.#queue.slice(this.#queueStart);
      this.#queueStart = 0;
    }
    const resume = isQueueEmpty ? this.#resume : null;
    if (batch.length === 0 && resume === null) return false;
    if (resume !== null) this.#resume = null;
    this.#lastFrame += 1;
    this.#unacceptedMessages += batch.length;
    this.#unacceptedBytes += bytes;
    this.#sent.set(this.#lastFrame, { messages: batch, bytes, stored: resume?.stored ?? null });
    const headers = batch.map(({ header }) => header);
    this.#port.send(
      frameKinds.data,
      resume === null ? { frame: this.#lastFrame, headers } : { frame: this.#lastFrame, headers, resume: resume.state },
      batch.map(({ payload }) => payload),
    );
    return true;
  }

  /** One message larger than the whole window may go when nothing else is on its way. */
  #hasCredit(messages: number, bytes: number): boolean {
    if (this.#unacceptedMessages + messages >= creditWindow.messages) return false;
    return this.#unacceptedBytes + bytes <= creditWindow.bytes || this.#unacceptedMessages + messages === 0;
  }

  #onAccepted(frame: Frame): void {
    // Made by the coordinator of the same version: trusted.
    const { frame: number, error } = parseMeta(frame) as AcceptedMeta;
    const sent = this.#sent.get(number);
    if (sent === undefined) return;
    this.#sent.delete(number);
    this.#unacceptedMessages -= sent.messages.length;
    this.#unacceptedBytes -= sent.bytes;
    const failure = error === undefined ? null : GatewayError.fromReport(error);
    for (const message of sent.messages) message.done(failure);
    if (failure === null) sent.stored?.resolve();
    else sent.stored?.reject(failure);
    if (this.#queue.length > this.#queueStart || this.#resume !== null) this.#schedule();
  }
}
