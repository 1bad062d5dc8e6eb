/** A thread that has loaded its module and started nothing: it knows no settings, and waits to become a generation. */
import { GatewayError } from "../contract/errors.ts";
import { frameKinds, type Frame } from "../contract/frame.ts";
import type { GenerationHandle, GenerationListener, Hosts, OpenRequest } from "../contract/host.ts";
import { after } from "../support/time.ts";

/** What it says before anybody listens; a module prints little while it is loaded. */
const keptFrames = 64;
const killDeadlineMs = 5000;

/** One spare. It ends by being adopted or discarded, or by itself. */
export class SpareThread {
  /** What it was opened for, under a generation of its own. */
  readonly request: OpenRequest;
  /** Resolves when it is ready, or will never be. */
  readonly settled: Promise<void>;
  readonly #abort = new AbortController();
  readonly #settle = Promise.withResolvers<void>();
  #frames: Frame[] = [];
  #adopter: GenerationListener | null = null;
  #handle: GenerationHandle | null = null;
  #killTimer: Disposable | null = null;
  #isLoaded = false;
  #isGone = false;

  /** `request`: of the generation that it is to follow. */
  constructor(hosts: Hosts, request: OpenRequest, generation: number) {
    this.settled = this.#settle.promise;
    const init = { ...request.init, generation, ...("settings" in request.init ? { settings: {} } : {}) };
    this.request = { ...request, generation, init, signal: this.#abort.signal };
    void this.#open(hosts);
  }

  /** Its module is loaded, and it can be adopted. */
  get isReady(): boolean {
    return this.#isLoaded && this.#handle !== null && !this.#isGone;
  }

  /** It ended without being adopted, or it was discarded. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * From now on it is the thread of another's generation, and `listener` hears all that it has said.
   * @throws {GatewayError} `adapter_unavailable` when it is not ready.
   */
  adopt(listener: GenerationListener, signal: AbortSignal): GenerationHandle {
    const handle = this.#handle;
    if (handle === null || !this.isReady)
      throw new GatewayError("adapter_unavailable", `Cannot use the spare thread of "${this.request.key}": not ready`);
    this.#adopter = listener;
    signal.addEventListener("abort", () => handle.terminate(), { once: true });
    for (const frame of this.#frames.splice(0)) listener.onFrame(frame);
    return handle;
  }

  /** Ends it; with its host, where it cannot be ended otherwise. */
  discard(): void {
    const handle = this.#handle;
    const isLive = !this.#isGone;
    this.#gone();
    this.#abort.abort(new GatewayError("adapter_unavailable", "The spare thread is no longer wanted"));
    if (handle === null || !isLive) return;
    handle.terminate();
    this.#killTimer = after(killDeadlineMs, () => handle.condemnHost("A spare thread survived terminate()"));
  }

  async #open(hosts: Hosts): Promise<void> {
    try {
      this.#handle = await hosts.open(this.request, this.#listener());
      if (this.#isGone) this.#handle.terminate();
      else if (this.#isLoaded) this.#settle.resolve();
    } catch {
      // Without it the next start loads the module by itself; whoever waits looks at `isReady`.
      this.#gone();
    }
  }

  #listener(): GenerationListener {
    return {
      onHostDelayed: () => {},
      onFrame: (frame) => {
        if (this.#adopter !== null) this.#adopter.onFrame(frame);
        else this.#keep(frame);
      },
      onSample: (sample) => this.#adopter?.onSample(sample),
      onDrained: () => this.#adopter?.onDrained(),
      onExited: (exit) => {
        this.#killTimer?.[Symbol.dispose]();
        this.#gone();
        this.#adopter?.onExited(exit);
      },
      onHostGone: (gone) => {
        this.#killTimer?.[Symbol.dispose]();
        this.#gone();
        this.#adopter?.onHostGone(gone);
      },
      onEvacuate: (evacuation) => {
        if (this.#adopter === null) this.discard();
        else this.#adopter.onEvacuate(evacuation);
      },
    };
  }

  /** A copy: the frame is a view on memory that a socket has filled with much else. */
  #keep(frame: Frame): void {
    if (this.#frames.length < keptFrames || isLoaded(frame))
      this.#frames.push({ ...frame, meta: frame.meta.slice(), body: frame.body.slice() });
    if (!isLoaded(frame)) return;
    this.#isLoaded = true;
    if (this.#handle !== null) this.#settle.resolve();
  }

  #gone(): void {
    this.#isGone = true;
    this.#frames = [];
    this.#settle.resolve();
  }
}

function isLoaded(frame: Frame): boolean {
  return frame.kind === frameKinds.event && frame.meta.length < 64 && Buffer.from(frame.meta).includes('"loaded"');
}
