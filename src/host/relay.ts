/**
 * A host's whole work: opens generations, passes their frames on without opening them, samples their threads. It knows
 * nothing of any platform. The same code serves a host process and the coordinator's own process (`inline`).
 */
import { GatewayError } from "../contract/errors.ts";
import {
  decodeFrame,
  encodeFrame,
  frameKindOf,
  frameKinds,
  joinFrames,
  parseMeta,
  type Frame,
  type FrameKind,
} from "../contract/frame.ts";
import {
  isInspection,
  type CallMeta,
  type ExitedMeta,
  type InspectionArgs,
  type OpenMeta,
  type SampleMeta,
  type ThreadSample,
} from "../contract/protocol.ts";
import { every } from "../support/time.ts";
import type { Link } from "./link.ts";
import { framesOfThread } from "./thread-frames.ts";
import { ThreadHost } from "./thread-host.ts";

/** Also the host's heartbeat: a host that is silent for 5 s is dead. */
export const samplePeriodMs = 250;

/** File URLs of the thread entries, by what they are for. */
export type ThreadEntries = Readonly<Record<OpenMeta["entry"], string>>;

/** The generations of one host. */
export class Relay implements Disposable {
  readonly #threads = new Map<number, ThreadHost>();
  readonly #entries: ThreadEntries;
  readonly #link: Link;
  readonly #sampler: Disposable;
  readonly #outgoing = new Map<ThreadHost, Uint8Array<ArrayBuffer>[]>();
  #isSampling = false;
  #nextSampleMs = performance.now() + samplePeriodMs;

  /** `link` is where frames for the coordinator go. */
  constructor(entries: ThreadEntries, link: Link) {
    this.#entries = entries;
    this.#link = link;
    this.#sampler = every(
      samplePeriodMs,
      () => void this.#sample(),
      () => {},
    );
  }

  /** One frame from the coordinator. */
  onFrame(bytes: Uint8Array): void {
    const kind = frameKindOf(bytes);
    const frame = decodeFrame(bytes);
    if (kind === frameKinds.open) return this.#open(frame);
    const thread = this.#threads.get(frame.generation);
    if (kind === frameKinds.call) return void this.#call(thread, frame);
    if (kind === frameKinds.terminate) return thread?.terminate();
    if (thread !== undefined) this.#post(thread, bytes);
  }

  [Symbol.dispose](): void {
    this.#sampler[Symbol.dispose]();
    for (const thread of this.#threads.values()) thread.terminate();
  }

  /** What one read of the socket brings for a thread goes to it in one message. */
  #post(thread: ThreadHost, bytes: Uint8Array): void {
    const waiting = this.#outgoing.get(thread);
    // A copy: the frame is a view on the socket's buffer, and a port wants memory of its own to take.
    const copy = new Uint8Array(bytes);
    if (waiting !== undefined) {
      waiting.push(copy);
      return;
    }
    this.#outgoing.set(thread, [copy]);
    queueMicrotask(() => {
      const frames = this.#outgoing.get(thread) ?? [];
      this.#outgoing.delete(thread);
      thread.post(joinFrames(frames));
    });
  }

  #open(frame: Frame): void {
    const { generation } = frame;
    // Made by the coordinator of the same version: trusted.
    const open = parseMeta(frame) as OpenMeta;
    try {
      const thread = new ThreadHost(generation, open, this.#entries[open.entry], {
        onFrame: (bytes) => {
          for (const frames of framesOfThread(generation, bytes)) this.#link.send(frames);
        },
        onDrained: () => this.#send(frameKinds.drained, generation, {}),
        onExited: (exit) => {
          this.#threads.delete(generation);
          this.#send(frameKinds.exited, generation, exit);
        },
      });
      this.#threads.set(generation, thread);
    } catch (reason) {
      const exit: ExitedMeta = { cause: "open_failed", exitCode: null, error: GatewayError.from(reason).toReport() };
      this.#send(frameKinds.exited, generation, exit);
      this.#send(frameKinds.drained, generation, {});
    }
  }

  async #call(thread: ThreadHost | undefined, frame: Frame): Promise<void> {
    const { id, method, args, deadlineMs } = parseMeta(frame) as CallMeta;
    const outcome =
      thread === undefined
        ? {
            ok: false,
            error: new GatewayError("worker_crashed", `Cannot call ${method}: the thread is gone`).toReport(),
          }
        : isInspection(method)
          ? await thread.inspect(method, args as InspectionArgs, deadlineMs)
          : await thread.control.call(method, args, deadlineMs);
    this.#send(frameKinds.result, frame.generation, { id, outcome });
  }

  /** One sample at a time: a thread in native code may leave a question open until its deadline. */
  async #sample(): Promise<void> {
    const nowMs = performance.now();
    const stallMs = Math.max(0, nowMs - this.#nextSampleMs);
    this.#nextSampleMs = nowMs + samplePeriodMs;
    const rssBytes = process.memoryUsage.rss();
    if (this.#isSampling) {
      const heartbeat: SampleMeta = { rssBytes, stallMs, threads: [] };
      return this.#send(frameKinds.sample, 0, heartbeat);
    }
    this.#isSampling = true;
    const threads: ThreadSample[] = await Promise.all([...this.#threads.values()].map((thread) => thread.sample()));
    this.#isSampling = false;
    const sample: SampleMeta = { rssBytes, stallMs, threads };
    this.#send(frameKinds.sample, 0, sample);
  }

  #send(kind: FrameKind, generation: number, meta: unknown): void {
    this.#link.send(encodeFrame(kind, generation, meta));
  }
}
