/** Hosts without a process or a thread: a test says what each generation does, and sees what was asked of it. */
import { GatewayError } from "../../src/contract/errors.ts";
import { decodeFrame, encodeFrame, frameKinds, type FrameKind } from "../../src/contract/frame.ts";
import type { GenerationHandle, GenerationListener, HostGone, Hosts, OpenRequest } from "../../src/contract/host.ts";
import type { HostMethod, EventMeta, ExitedMeta, StartedValue, ThreadSample } from "../../src/contract/protocol.ts";
import type { HostKind, HostStatus } from "../../src/contract/status.ts";

/** What one generation does; the defaults are those of a healthy one. */
export type FakeBehaviour = {
  /** `is_stuck`: it heeds no abort and resolves when the test calls `release`. */
  readonly open?: "ok" | "hangs" | "is_stuck" | GatewayError;
  readonly module?: "loads" | "hangs";
  /** `late`: heeds neither an abort nor its thread's end, and is answered when the test calls `answerLate`. */
  readonly start?: "ok" | "hangs" | "late" | GatewayError;
  readonly stop?: "ok" | "hangs" | "late" | GatewayError;
  readonly terminate?: "ends" | "survives";
  readonly updatePolicy?: "ok" | "hangs" | GatewayError;
  readonly probe?: "ok" | "hangs" | GatewayError;
  readonly heapSnapshot?: "ok" | "hangs" | GatewayError;
  readonly cpuProfile?: "ok" | "hangs" | GatewayError;
  readonly started?: Partial<StartedValue>;
  readonly hostKind?: HostKind;
};

const healthy: Required<FakeBehaviour> = {
  open: "ok",
  module: "loads",
  start: "ok",
  stop: "ok",
  terminate: "ends",
  updatePolicy: "ok",
  probe: "ok",
  heapSnapshot: "ok",
  cpuProfile: "ok",
  started: {},
  hostKind: "shared",
};

/** One generation that was opened. */
export class FakeGeneration {
  readonly request: OpenRequest;
  readonly listener: GenerationListener;
  readonly behaviour: Required<FakeBehaviour>;
  readonly calls: { readonly method: HostMethod; readonly args: unknown }[] = [];
  readonly sent: { readonly kind: FrameKind; readonly meta: unknown }[] = [];
  terminateCount = 0;
  condemnReason: string | null = null;
  /** Its thread exists. */
  isLive = false;
  readonly released = Promise.withResolvers<void>();
  readonly #dead = Promise.withResolvers<never>();
  readonly #late = Promise.withResolvers<void>();
  #lateCalls = 0;

  constructor(request: OpenRequest, listener: GenerationListener, behaviour: FakeBehaviour) {
    this.request = request;
    this.listener = listener;
    this.behaviour = { ...healthy, ...behaviour };
    this.#dead.promise.catch(() => {});
    this.#late.promise.catch(() => {});
  }

  /** Calls that wait for {@link FakeGeneration.answerLate}. */
  get lateCalls(): number {
    return this.#lateCalls;
  }

  /** The handle that the supervisor gets. */
  handle(): GenerationHandle {
    return {
      generation: this.request.generation,
      hostPid: 4000,
      hostKind: this.request.placement === "own" ? "own" : this.behaviour.hostKind,
      call: (method, args, { signal }) => this.#call(method, args, signal),
      send: (kind, meta) => {
        this.sent.push({ kind, meta });
      },
      terminate: () => this.#terminate(),
      condemnHost: (reason) => {
        this.condemnReason = reason;
      },
    };
  }

  /** An `event` frame. */
  emitEvent(event: EventMeta): void {
    this.listener.onFrame(decodeFrame(encodeFrame(frameKinds.event, this.request.generation, event)));
  }

  /** A `data` frame. */
  emitData(): void {
    this.listener.onFrame(
      decodeFrame(encodeFrame(frameKinds.data, this.request.generation, { frame: 1, headers: [] })),
    );
  }

  /** A sample of a healthy thread, but for `changes`. */
  sample(changes: Partial<ThreadSample> = {}): void {
    this.listener.onSample(threadSample({ generation: this.request.generation, ...changes }));
  }

  /** Its thread is gone, its port drained. */
  exit(changes: Partial<ExitedMeta> = {}): void {
    if (!this.isLive) return;
    this.isLive = false;
    this.#dead.reject(new GatewayError("worker_crashed", "The thread is gone"));
    this.listener.onExited({ cause: "crashed", exitCode: 1, error: null, ...changes });
    this.listener.onDrained();
  }

  /** Its host is gone. */
  hostGone(gone: Partial<HostGone> = {}): void {
    this.isLive = false;
    this.#dead.reject(new GatewayError("worker_crashed", "The host is gone"));
    const { cause = "died" } = gone;
    // One object for all, where a test hands one over whole.
    this.listener.onHostGone(
      isWhole(gone) ? gone : { cause, detail: `its host ${cause}`, keys: [this.request.key], ...gone },
    );
  }

  /** Answers what is `late`, now and from now on. */
  answerLate(error: GatewayError | null = null): void {
    if (error === null) this.#late.resolve();
    else this.#late.reject(error);
  }

  #terminate(): void {
    this.terminateCount += 1;
    if (this.behaviour.terminate === "ends") this.exit({ cause: "terminated", exitCode: 1 });
  }

  async #call(method: HostMethod, args: unknown, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    this.calls.push({ method, args });
    const answer = this.#answer(method);
    if (answer instanceof GatewayError) throw answer;
    if (answer === "late") {
      this.#lateCalls += 1;
      await this.#late.promise.finally(() => (this.#lateCalls -= 1));
    }
    if (answer !== "hangs") return method === "start" ? startedValue(this.behaviour.started) : null;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason as Error), { once: true });
    return Promise.race([aborted.promise, this.#dead.promise]);
  }

  #answer(method: HostMethod): "ok" | "hangs" | "late" | GatewayError {
    switch (method) {
      case "start":
      case "stop":
      case "updatePolicy":
      case "probe":
      case "heapSnapshot":
      case "cpuProfile":
        return this.behaviour[method];
      case "send":
      case "completeSend":
      case "setStatus":
      case "history":
      case "attachment":
        return "ok";
    }
  }
}

function isWhole(gone: Partial<HostGone>): gone is HostGone {
  return gone.cause !== undefined && gone.detail !== undefined && gone.keys !== undefined;
}

/** A pool of no hosts. */
export class FakeHosts implements Hosts {
  /** Every generation that was opened, oldest first. */
  readonly opened: FakeGeneration[] = [];
  /** What the next generation of a request does. */
  behave: (request: OpenRequest) => FakeBehaviour = () => ({});

  async open(request: OpenRequest, listener: GenerationListener): Promise<GenerationHandle> {
    request.signal.throwIfAborted();
    const generation = new FakeGeneration(request, listener, this.behave(request));
    this.opened.push(generation);
    const { open } = generation.behaviour;
    if (open instanceof GatewayError) throw open;
    if (open === "hangs") {
      const aborted = Promise.withResolvers<never>();
      request.signal.addEventListener("abort", () => aborted.reject(request.signal.reason as Error), { once: true });
      return aborted.promise;
    }
    if (open === "is_stuck") await generation.released.promise;
    generation.isLive = true;
    if (generation.behaviour.module === "loads") setImmediate(() => this.#load(generation));
    return generation.handle();
  }

  /** The latest generation of `key`. */
  last(key: string): FakeGeneration {
    const generation = this.opened.findLast(({ request }) => request.key === key);
    if (generation === undefined) throw new Error(`no generation of ${key} was opened`);
    return generation;
  }

  /** Generations of `key` whose threads exist. */
  live(key: string): readonly FakeGeneration[] {
    return this.opened.filter((generation) => generation.request.key === key && generation.isLive);
  }

  status(): readonly HostStatus[] {
    return [];
  }

  rssBytes(): number {
    return 50_000_000;
  }

  killAfter(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #load(generation: FakeGeneration): void {
    if (generation.isLive) generation.emitEvent({ event: "loaded" });
  }
}

/** A healthy thread's sample, but for `changes`. */
export function threadSample(changes: Partial<ThreadSample> = {}): ThreadSample {
  return {
    generation: 1,
    threadId: 7,
    utilization: 0.1,
    heartbeatAgeMs: 40,
    delayP99Ms: 2,
    cpu: { userMicroseconds: 1000, systemMicroseconds: 500 },
    memory: { heapBytes: 6_000_000, externalBytes: 2_000_000, arrayBufferBytes: 1_000_000 },
    ...changes,
  };
}

function startedValue(changes: Partial<StartedValue>): StartedValue {
  return {
    maxSilenceMs: 0,
    pull: false,
    overlap: false,
    canUpdatePolicy: true,
    canProbe: false,
    canCompleteSend: false,
    sendRates: {},
    capabilities: {},
    ...changes,
  };
}
