/**
 * The thread's end of the data plane, shared by the adapter's shim and the consumer's: frames out and in, requests with
 * answers, a bounded log, and the heartbeat its host reads without asking.
 */
import type { MessagePort } from "node:worker_threads";
import { GatewayError } from "../src/contract/errors.ts";
import {
  decodeFrame,
  encodeFrame,
  frameKinds,
  joinFrames,
  parseMeta,
  splitFrames,
  type Frame,
  type FrameKind,
} from "../src/contract/frame.ts";
import type { AnswerMeta, EventMeta, LogRecord, RequestMethod } from "../src/contract/protocol.ts";
import { Slots } from "../src/support/slots.ts";
import { every, TimeoutError } from "../src/support/time.ts";
import { ThreadLog } from "./thread-log.ts";

/** What a thread's Piscina task is given. */
export type ThreadTask<Init> = {
  readonly init: Init;
  /** The module this thread exists for, a file URL. */
  readonly moduleUrl: string;
  readonly dataPort: MessagePort;
  readonly controlPort: MessagePort;
  /** See `startHeartbeat`. */
  readonly heartbeat: SharedArrayBuffer;
};

/** More unanswered requests than this means that the caller does not wait for answers. */
const requestLimit = 30_000;
/** A held mailbox read waits 60 s; nothing takes longer than that and a little. */
const requestDeadlineMs = 90_000;

const expiryPeriodMs = 1000;

type PendingRequest = {
  readonly method: RequestMethod;
  readonly expiresAtMs: number;
  readonly answer: PromiseWithResolvers<Answer>;
};

/** What the coordinator answered: a value, and bytes where the value says what they are. */
export type Answer = { readonly value: unknown; readonly body: Uint8Array };

/** The data plane as the shims use it. Lives as long as its thread. */
export class ThreadPort {
  readonly log: ThreadLog;
  readonly #port: MessagePort;
  readonly #listeners = new Map<number, (frame: Frame) => void>();
  readonly #requests = new Slots<PendingRequest>();
  #outgoing: Uint8Array<ArrayBuffer>[] = [];
  #gatherers: (() => void)[] = [];
  #isFlushScheduled = false;

  constructor(port: MessagePort) {
    this.#port = port;
    this.log = new ThreadLog((records, dropped) => this.event({ event: "log", records, dropped }));
    this.#listeners.set(frameKinds.answer, (frame) => this.#onAnswer(frame));
    port.on("message", (buffer: ArrayBuffer) => this.#onBatch(new Uint8Array(buffer)));
    every(
      expiryPeriodMs,
      () => this.#expireRequests(),
      () => {},
    );
    // The last lines before a crash or process.exit() are the ones that say why.
    process.once("exit", () => {
      this.log.flush();
      this.flush();
    });
  }

  /** Sends a frame. What one turn of the loop sends leaves in one message: posting costs more than copying. */
  send(kind: FrameKind, meta: unknown, body?: readonly Uint8Array[]): void {
    this.#outgoing.push(encodeFrame(kind, 0, meta, body));
    this.#scheduleFlush();
  }

  /** Calls `gather` once, at the end of the loop's turn: what it sends leaves with all else of this turn. */
  onTurnEnd(gather: () => void): void {
    this.#gatherers.push(gather);
    this.#scheduleFlush();
  }

  /** Reports without waiting. */
  event(meta: EventMeta): void {
    this.send(frameKinds.event, meta);
  }

  /**
   * Asks the coordinator.
   * @throws {GatewayError} what it answered; `queue_full` with too many unanswered; the signal's reason.
   */
  async request(method: RequestMethod, args: unknown, signal?: AbortSignal): Promise<unknown> {
    return (await this.ask(method, args, signal)).value;
  }

  /** Like {@link ThreadPort.request}, with the bytes that came along. */
  async ask(method: RequestMethod, args: unknown, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    if (this.#requests.size >= requestLimit)
      throw new GatewayError("queue_full", `Cannot ask for ${method}: ${requestLimit} requests are unanswered`);
    const answer = Promise.withResolvers<Answer>();
    const id = this.#requests.add({ method, expiresAtMs: performance.now() + requestDeadlineMs, answer });
    const onAbort = (): void => answer.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      this.send(frameKinds.request, { id, method, args });
      return await answer.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#requests.delete(id);
    }
  }

  /** Asks for something whose answer nobody waits for. */
  notify(method: RequestMethod, args: unknown): void {
    this.send(frameKinds.request, { id: 0, method, args });
  }

  /** One listener per kind of frame. */
  onFrame(kind: FrameKind, listener: (frame: Frame) => void): void {
    this.#listeners.set(kind, listener);
  }

  /** Sends what waits, now: before an answer that goes another way, and before the end. */
  flush(): void {
    const gatherers = this.#gatherers;
    this.#gatherers = [];
    for (const gather of gatherers) gather();
    if (this.#outgoing.length === 0) return;
    const { buffer } = joinFrames(this.#outgoing);
    this.#outgoing = [];
    this.#port.postMessage(buffer, [buffer]);
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.flush();
    });
  }

  /** One timer for all requests: there may be tens of thousands. */
  #expireRequests(): void {
    const nowMs = performance.now();
    for (const { method, expiresAtMs, answer } of this.#requests.values())
      if (expiresAtMs <= nowMs)
        answer.reject(new TimeoutError(`The request ${method} did not finish within ${requestDeadlineMs} ms`));
  }

  #onBatch(bytes: Uint8Array): void {
    for (const each of splitFrames(bytes)) {
      const frame = decodeFrame(each);
      this.#listeners.get(frame.kind)?.(frame);
    }
  }

  #onAnswer(frame: Frame): void {
    // Made by the coordinator of the same version: trusted.
    const { id, outcome } = parseMeta(frame) as AnswerMeta;
    const answer = this.#requests.get(id)?.answer;
    if (answer === undefined) return;
    if (outcome.ok) answer.resolve({ value: outcome.value, body: frame.body });
    else answer.reject(GatewayError.fromReport(outcome.error));
  }
}

/** Console and standard streams of a thread, as log records under its adapter's name. */
export function captureConsole(log: ThreadLog): void {
  const levels: Readonly<Record<string, LogRecord["level"]>> = {
    debug: "debug",
    log: "info",
    info: "info",
    warn: "warn",
    error: "error",
    trace: "debug",
  };
  for (const [method, level] of Object.entries(levels)) {
    Object.defineProperty(console, method, {
      value: (...values: readonly unknown[]) => log.line(level, values),
    });
  }
  for (const [stream, level] of [
    [process.stdout, "info"],
    [process.stderr, "warn"],
  ] as const) {
    stream.write = (chunk: unknown): boolean => {
      log.line(level, [typeof chunk === "string" ? chunk.trimEnd() : "[bytes]"]);
      return true;
    };
  }
}
