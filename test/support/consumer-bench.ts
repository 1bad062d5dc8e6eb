/** A handler on one side of a real channel, and a test that speaks as its coordinator on the other. */
import { MessageChannel } from "node:worker_threads";
import type { DeliverMeta, SettleMeta } from "../../src/contract/protocol.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import {
  decodeFrame,
  encodeFrame,
  frameKinds,
  parseMeta,
  splitFrames,
  type Frame,
  type FrameKind,
} from "../../src/contract/frame.ts";
import type { RequestMeta } from "../../src/contract/protocol.ts";
import { HandlerRunner, type Handler } from "../../workers/consumer-handlers.ts";
import { ThreadPort } from "../../workers/thread-port.ts";
import { storedPayload } from "./stored-payload.ts";

/** One settlement with its reply read out of the body. */
export type SettledForTest = SettleMeta["settlements"][number] & { readonly reply: unknown };

/** What the coordinator's side has seen, and what it can do. */
export class ConsumerBench implements Disposable {
  readonly settled: SettledForTest[] = [];
  readonly frames: Frame[] = [];
  readonly requests: RequestMeta[] = [];
  /** Answers a request; a GatewayError refuses it; `undefined` leaves it open. */
  answer: (request: RequestMeta) => unknown = () => null;
  readonly #channel = new MessageChannel();
  #waiting: (() => void)[] = [];

  constructor(handler: Handler) {
    const port = new ThreadPort(this.#channel.port2);
    const runner = new HandlerRunner(handler, port);
    port.onFrame(frameKinds.deliver, (frame) => runner.deliver(frame));
    this.#channel.port1.on("message", (buffer: ArrayBuffer) => {
      for (const frame of splitFrames(new Uint8Array(buffer))) this.#onFrame(decodeFrame(frame));
    });
  }

  /** Messages with these receipts and texts. */
  deliver(
    messages: readonly {
      readonly receipt: string;
      readonly text?: string;
      readonly attempt?: number;
      readonly redelivered?: boolean;
      readonly payload?: Uint8Array;
      readonly senderIsAuthority?: boolean;
      readonly bindingSettings?: Readonly<Record<string, unknown>> | null;
    }[],
  ): void {
    const payloads = messages.map(
      ({ receipt, text = "hi", payload }) => payload ?? storedPayload({ id: `m-${receipt}`, text }),
    );
    const deliveries = messages.map((message, index): DeliverMeta["deliveries"][number] => {
      const { receipt, attempt = 1, redelivered = false, senderIsAuthority = true, bindingSettings = null } = message;
      const bytes = payloads[index]?.length ?? 0;
      return { receipt, attempt, redelivered, bytes, senderIsAuthority, bindingSettings };
    });
    this.#send(frameKinds.deliver, { deliveries, abort: [] }, payloads);
  }

  abort(receipts: readonly string[]): void {
    this.#send(frameKinds.deliver, { deliveries: [], abort: receipts });
  }

  /** Answers a request that was left open. */
  answerLate(request: RequestMeta, value: unknown): void {
    this.#answer(request, value);
  }

  /** Resolves when `count` deliveries are settled. */
  async settlements(count: number): Promise<readonly SettledForTest[]> {
    await this.until(() => this.settled.length >= count);
    return this.settled;
  }

  /** Resolves once a frame came after which `isDone`. */
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
  }

  [Symbol.dispose](): void {
    this.#channel.port1.close();
  }

  #onFrame(frame: Frame): void {
    this.frames.push(frame);
    if (frame.kind === frameKinds.data) {
      const { settlements } = parseMeta(frame) as SettleMeta;
      let offset = 0;
      for (const settlement of settlements) {
        const bytes = frame.body.subarray(offset, offset + settlement.replyBytes);
        offset += settlement.replyBytes;
        const reply: unknown = bytes.length === 0 ? null : JSON.parse(Buffer.from(bytes).toString());
        this.settled.push({ ...settlement, reply });
      }
    } else if (frame.kind === frameKinds.request) {
      const request = parseMeta(frame) as RequestMeta;
      this.requests.push(request);
      const value = this.answer(request);
      if (value !== undefined) this.#answer(request, value);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answer({ id }: RequestMeta, value: unknown): void {
    const outcome = value instanceof GatewayError ? { ok: false, error: value.toReport() } : { ok: true, value };
    this.#send(frameKinds.answer, { id, outcome });
  }

  #send(kind: FrameKind, meta: unknown, body: readonly Uint8Array[] = []): void {
    const { buffer } = encodeFrame(kind, 1, meta, body);
    this.#channel.port1.postMessage(buffer, [buffer]);
  }
}
