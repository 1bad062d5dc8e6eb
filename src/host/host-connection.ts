/** The coordinator's end of one host: which generations live there, which calls are under way, when it last spoke. */
import { GatewayError } from "../contract/errors.ts";
import { decodeFrame, encodeFrame, frameKinds, parseMeta, type Frame, type FrameKind } from "../contract/frame.ts";
import type { Evacuation, GenerationHandle, GenerationListener, HostGone, OpenRequest } from "../contract/host.ts";
import type { HostMethod, ExitedMeta, HelloMeta, OpenMeta, ResultMeta, SampleMeta } from "../contract/protocol.ts";
import type { HostKind } from "../contract/status.ts";
import { TimeoutError, withDeadline } from "../support/time.ts";
import type { Link } from "./link.ts";
import { residentBytes } from "./resident-memory.ts";

/** The host's own deadline comes first; ours only matters when the host itself does not answer. */
const answerGraceMs = 2000;

type Resident = { readonly key: string; readonly listener: GenerationListener; isExited: boolean; isDrained: boolean };

/** What the pool decides about a host. */
export type HostConnectionOptions = {
  readonly kind: HostKind;
  readonly pid: number;
  /** Ends the host process; nothing for the coordinator's own. */
  kill(): void;
  /** An unkillable thread lives here. */
  onCondemned(connection: HostConnection, generation: number, reason: string): void;
  onEmpty(connection: HostConnection): void;
  /** It is over; its generations are told next. */
  onGone(connection: HostConnection, gone: HostGone): void;
};

/** One host, from its first frame to its end. */
export class HostConnection {
  readonly kind: HostKind;
  readonly pid: number;
  /** Resolves with the host's first frame. */
  readonly hello = Promise.withResolvers<HelloMeta>();
  readonly #options: HostConnectionOptions;
  readonly #residents = new Map<number, Resident>();
  readonly #calls = new Map<number, { readonly generation: number; readonly answer: PromiseWithResolvers<unknown> }>();
  #link: Link | null = null;
  #lastCallId = 0;
  #gone: HostGone | null = null;
  #reportedRssBytes = 0;
  #measuredRssBytes: number | null = null;
  #isMeasuring = false;
  lastFrameMs = performance.now();
  /** No new generation may come here. */
  isCondemned = false;

  constructor(options: HostConnectionOptions) {
    this.kind = options.kind;
    this.pid = options.pid;
    this.#options = options;
    this.hello.promise.catch(() => {});
  }

  /** Where frames go; set once, right after the link that brings this connection's frames exists. */
  set link(link: Link) {
    this.#link = link;
  }

  /** Its resident memory when it was last measured; where that cannot be done, as it says itself. */
  get rssBytes(): number {
    return this.#measuredRssBytes ?? this.#reportedRssBytes;
  }

  /** Runtime keys whose threads are here. */
  get keys(): readonly string[] {
    return [...this.#residents.values()].map(({ key }) => key);
  }

  /** Its generations are being told, or were: nothing can be opened here any more. */
  get isGone(): boolean {
    return this.#gone !== null;
  }

  get generations(): readonly number[] {
    return [...this.#residents.keys()];
  }

  /** Sends the `open` frame. @throws {GatewayError} `adapter_unavailable` when the host is gone. */
  open(request: OpenRequest, listener: GenerationListener): GenerationHandle {
    if (this.#gone !== null)
      throw new GatewayError("adapter_unavailable", `The host ${this.pid} is gone: ${this.#gone.detail}`);
    const { generation, key, entry, moduleUrl, heapLimitMb, init } = request;
    this.#residents.set(generation, { key, listener, isExited: false, isDrained: false });
    const open: OpenMeta = { key, entry, moduleUrl, heapLimitMb, init };
    this.#send(frameKinds.open, generation, open);
    return {
      generation,
      hostPid: this.pid,
      hostKind: this.kind,
      call: (method, args, options) => this.#call(generation, method, args, options),
      send: (kind, meta, body) => {
        if (this.#residents.has(generation)) this.#send(kind, generation, meta, body);
      },
      terminate: () => this.#send(frameKinds.terminate, generation, {}),
      condemnHost: (reason) => this.#options.onCondemned(this, generation, reason),
    };
  }

  /** Tells every generation but `except` to move to another host. */
  evacuate(except: number, cause: Evacuation["cause"]): void {
    const evacuation = { cause, keys: this.keys };
    for (const [generation, { listener }] of this.#residents)
      if (generation !== except) listener.onEvacuate(evacuation);
  }

  /** Asks the kernel for its memory; one question at a time, however long that takes. */
  async measure(): Promise<void> {
    if (this.#isMeasuring || this.kind === "inline") return;
    this.#isMeasuring = true;
    this.#measuredRssBytes = await residentBytes(this.pid);
    this.#isMeasuring = false;
  }

  kill(): void {
    this.#options.kill();
  }

  /** One frame of the host. */
  onFrame(bytes: Uint8Array): void {
    this.lastFrameMs = performance.now();
    const frame = decodeFrame(bytes);
    if (frame.generation === 0) return this.#onHostFrame(frame);
    const resident = this.#residents.get(frame.generation);
    if (frame.kind === frameKinds.result) return this.#onResult(parseMeta(frame) as ResultMeta);
    if (resident === undefined) return;
    if (frame.kind === frameKinds.exited) {
      resident.isExited = true;
      this.#endCalls(frame.generation, "its thread ended");
      resident.listener.onExited(parseMeta(frame) as ExitedMeta);
    } else if (frame.kind === frameKinds.drained) {
      resident.isDrained = true;
      resident.listener.onDrained();
    } else {
      resident.listener.onFrame(frame);
    }
    if (resident.isExited && resident.isDrained) {
      this.#residents.delete(frame.generation);
      if (this.#residents.size === 0) this.#options.onEmpty(this);
    }
  }

  /** The host is gone for good: everything that waited for it is told. */
  onGone(gone: HostGone): void {
    if (this.#gone !== null) return;
    this.#gone = gone;
    this.hello.reject(
      new GatewayError("adapter_unavailable", `The host ${this.pid} ended before it was up: ${gone.detail}`),
    );
    this.#options.onGone(this, gone);
    const residents = [...this.#residents];
    this.#residents.clear();
    for (const [generation, { listener }] of residents) {
      this.#endCalls(generation, `its host ${gone.cause}: ${gone.detail}`);
      listener.onHostGone(gone);
    }
  }

  #onHostFrame(frame: Frame): void {
    if (frame.kind === frameKinds.hello) return this.hello.resolve(parseMeta(frame) as HelloMeta);
    if (frame.kind !== frameKinds.sample) return;
    const sample = parseMeta(frame) as SampleMeta;
    this.#reportedRssBytes = sample.rssBytes;
    for (const thread of sample.threads) this.#residents.get(thread.generation)?.listener.onSample(thread);
  }

  async #call(
    generation: number,
    method: HostMethod,
    args: unknown,
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<unknown> {
    signal.throwIfAborted();
    if (!this.#residents.has(generation))
      throw new GatewayError("worker_crashed", `Cannot call ${method}: the thread of generation ${generation} is gone`);
    this.#lastCallId += 1;
    const id = this.#lastCallId;
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(id, { generation, answer });
    const onAbort = (): void => answer.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#send(frameKinds.call, generation, { id, method, args, deadlineMs });
      return await withDeadline(answer.promise, deadlineMs + answerGraceMs, `The call ${method}`);
    } catch (reason) {
      throw reason instanceof TimeoutError ? new GatewayError("timeout", reason.message) : reason;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#calls.delete(id);
    }
  }

  #onResult({ id, outcome }: ResultMeta): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (outcome.ok) call.answer.resolve(outcome.value);
    else call.answer.reject(GatewayError.fromReport(outcome.error));
  }

  #endCalls(generation: number, why: string): void {
    for (const call of this.#calls.values()) {
      if (call.generation === generation)
        call.answer.reject(new GatewayError("worker_crashed", `Generation ${generation} did not answer: ${why}`));
    }
  }

  #send(kind: FrameKind, generation: number, meta: unknown, body?: readonly Uint8Array[]): void {
    this.#link?.send(encodeFrame(kind, generation, meta, body));
  }
}
