/**
 * `standby = true`: hosts that keep a spare thread with the module loaded for each such adapter, so that a respawn need
 * not wait for it. The spare is opened while its adapter runs, has none of its settings, and connects to nothing.
 */
import { GatewayError } from "../contract/errors.ts";
import type { GenerationHandle, GenerationListener, Hosts, OpenRequest } from "../contract/host.ts";
import type { HostStatus } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { after, withDeadline } from "../support/time.ts";
import { SpareThread } from "./spare-thread.ts";

const loadDeadlineMs = 30_000;
/** A spare outlives its adapter's generation by the longest usual backoff and a little; then it is not worth its memory. */
const lingerMs = 75_000;

/** What it works with. */
export type StandbyOptions = {
  /** Where all threads live. Disposed with it. */
  readonly hosts: Hosts;
  /** Of the spares. @throws {GatewayError} when none can be given now. */
  readonly nextGeneration: () => number;
  readonly logger: Logger;
};

/** See the file's head. What does not ask for a standby goes through untouched. */
export class StandbyHosts implements Hosts {
  readonly #options: StandbyOptions;
  readonly #spares = new Map<string, SpareThread>();
  /** The newest generation's request by key: what a spare must fit. */
  readonly #newest = new Map<string, OpenRequest>();
  /** One spare loads at a time: they are in nobody's way. */
  #loading: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  async open(request: OpenRequest, listener: GenerationListener): Promise<GenerationHandle> {
    const { hosts } = this.#options;
    const spare = this.#take(request);
    if ((request.standbyFor ?? null) === null) {
      this.#newest.delete(request.key);
      return hosts.open(request, listener);
    }
    this.#newest.set(request.key, request);
    const watching = this.#watch(request, listener);
    const handle = spare?.adopt(watching, request.signal) ?? (await hosts.open(request, watching));
    return {
      ...handle,
      call: async (method, args, options) => {
        if (method !== "start") return handle.call(method, args, options);
        // The spare has been given nothing but its module.
        const started = await handle.call(method, spare === null ? args : { init: request.init }, options);
        this.#prepare(request);
        return started;
      },
    };
  }

  status(): readonly HostStatus[] {
    return this.#options.hosts.status().map((host) => ({ ...host, keys: [...new Set(host.keys)] }));
  }

  rssBytes(hostPid: number): number {
    return this.#options.hosts.rssBytes(hostPid);
  }

  killAfter(delayMs: number): void {
    this.#options.hosts.killAfter(delayMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#newest.clear();
    await this.#options.hosts[Symbol.asyncDispose]();
  }

  /** The spare that fits, ready to be adopted; any other of this key is ended. */
  #take(request: OpenRequest): SpareThread | null {
    const spare = this.#spares.get(request.key);
    if (spare === undefined) return null;
    this.#spares.delete(request.key);
    if (spare.isReady && !request.signal.aborted && isFitting(spare.request, request)) return spare;
    spare.discard();
    return null;
  }

  #watch(request: OpenRequest, listener: GenerationListener): GenerationListener {
    const onEnd = (): void => {
      after(lingerMs, () => {
        if (this.#newest.get(request.key) !== request) return;
        this.#newest.delete(request.key);
        this.#spares.get(request.key)?.discard();
        this.#spares.delete(request.key);
      });
    };
    return {
      onHostDelayed: (delayMs) => listener.onHostDelayed(delayMs),
      onFrame: (frame) => listener.onFrame(frame),
      onSample: (sample) => listener.onSample(sample),
      onDrained: () => listener.onDrained(),
      onExited: (exit) => {
        onEnd();
        listener.onExited(exit);
      },
      onHostGone: (gone) => {
        onEnd();
        listener.onHostGone(gone);
      },
      onEvacuate: (evacuation) => listener.onEvacuate(evacuation),
    };
  }

  #prepare(request: OpenRequest): void {
    this.#loading = this.#loading.then(() => this.#load(request));
  }

  /** Never rejects: without a spare the next start loads the module as ever. */
  async #load(request: OpenRequest): Promise<void> {
    const { key } = request;
    if (this.#isClosed || this.#newest.get(key) !== request || this.#spares.has(key)) return;
    try {
      const spare = new SpareThread(this.#options.hosts, request, this.#options.nextGeneration());
      this.#spares.set(key, spare);
      await withDeadline(spare.settled, loadDeadlineMs, `Loading the spare thread of "${key}"`);
      if (spare.isGone && this.#spares.get(key) === spare)
        throw new GatewayError("worker_crashed", `The spare thread of "${key}" ended while its module was loaded`);
    } catch (reason) {
      this.#spares.get(key)?.discard();
      this.#spares.delete(key);
      if (!this.#isClosed)
        this.#options.logger.warn("standby-failed", { key, error: GatewayError.from(reason).message });
    }
  }
}

/** Same code, same limits, same place: a changed adapter starts with a thread of its own. */
function isFitting(spare: OpenRequest, wanted: OpenRequest): boolean {
  return (
    spare.standbyFor === wanted.standbyFor &&
    spare.moduleUrl === wanted.moduleUrl &&
    spare.heapLimitMb === wanted.heapLimitMb &&
    spare.placement === wanted.placement &&
    (spare.group ?? "") === (wanted.group ?? "")
  );
}
