/** One generation from its slot to the last sign of its thread. It tells its owner what happens and does what it is told; it decides nothing. */
import type { CommandDeclaration } from "../contract/command.ts";
import { GatewayError } from "../contract/errors.ts";
import { frameKinds, type Frame, type FrameKind } from "../contract/frame.ts";
import type { GenerationHandle, Hosts, Placement } from "../contract/host.ts";
import type { ExitedMeta, HostMethod, InspectionArgs, InspectionMethod, StartedValue } from "../contract/protocol.ts";
import type { AdapterSpec } from "../contract/spec.ts";
import type { HostKind } from "../contract/status.ts";
import { after, orAborted } from "../support/time.ts";
import type { LifeEnd, LifeOwner } from "./life-owner.ts";
import { heapLimitMb } from "./memory.ts";
import type { StartSlots } from "./start-slots.ts";
import { parseEvent, parseStarted } from "./thread-report.ts";

/** A slot is given back when the module is loaded, and after this long in any case. */
const slotHoldMs = 5000;
/** On Node 26 a thread's `exit` can overtake its last messages: so long are they waited for. */
const drainGraceMs = 1000;

/** What one generation is made of. */
export type LifeOptions = {
  readonly generation: number;
  readonly spec: AdapterSpec;
  readonly placement: Placement;
  readonly group: string;
  readonly hosts: Hosts;
  readonly slots: Pick<StartSlots, "acquire">;
  readonly owner: LifeOwner;
  /** Asked when it is opened. */
  readonly commands: () => readonly CommandDeclaration[];
};

/** A generation: at most one thread, ever. */
export class GenerationLife {
  readonly generation: number;
  readonly spec: AdapterSpec;
  readonly placement: Placement;
  readonly #group: string;
  /** Fingerprint of the policy it works with. */
  policyFingerprint: string;
  /** The commands it works with; compared by identity. */
  commands: readonly CommandDeclaration[] = [];
  /** What its module declared; `null` until `start` is answered. */
  started: StartedValue | null = null;
  readonly #hosts: Hosts;
  readonly #owner: LifeOwner;
  readonly #currentCommands: () => readonly CommandDeclaration[];
  readonly #abort = new AbortController();
  readonly #loaded = Promise.withResolvers<void>();
  #handle: GenerationHandle | null = null;
  #slot: Disposable | null = null;
  #slotTimer: Disposable | null = null;
  #drainTimer: Disposable | null = null;
  #exit: ExitedMeta | null = null;
  #isLoaded = false;
  #isDrained = false;
  #isGone = false;
  #snapshots = 0;
  #condemnReason: string | null = null;

  constructor(options: LifeOptions) {
    this.generation = options.generation;
    this.spec = options.spec;
    this.placement = options.placement;
    this.#group = options.group;
    this.policyFingerprint = options.spec.fingerprints.policy;
    this.#hosts = options.hosts;
    this.#owner = options.owner;
    this.#currentCommands = options.commands;
    void this.#run(options.slots);
  }

  /** The host it lives in; `null` before it is opened. */
  get host(): { readonly pid: number; readonly kind: HostKind } | null {
    return this.#handle === null ? null : { pid: this.#handle.hostPid, kind: this.#handle.hostKind };
  }

  /** A heap snapshot is taken of it, for which its thread stands still. */
  get isFrozen(): boolean {
    return this.#snapshots > 0;
  }

  /** Its thread and its port, or its host, are gone. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Looks into the thread, whatever the adapter is at; that it stands still for it is not held against it. @throws as {@link call}. */
  async inspect(method: InspectionMethod, args: InspectionArgs, deadlineMs: number): Promise<void> {
    // A profile takes minutes and stops nothing: its thread works on, and is judged like any other.
    const freezes = method === "heapSnapshot" ? 1 : 0;
    this.#snapshots += freezes;
    try {
      await this.call(method, args, { deadlineMs });
    } finally {
      this.#snapshots -= freezes;
    }
  }

  /** One control call. @throws {GatewayError} `adapter_unavailable` without a thread, else what {@link GenerationHandle.call} says. */
  call(
    method: HostMethod,
    args: unknown,
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<unknown> {
    const handle = this.#handle;
    if (handle === null || this.#isGone)
      return Promise.reject(
        new GatewayError("adapter_unavailable", `Cannot call "${method}" of "${this.spec.key}": no thread runs`),
      );
    return handle.call(method, args, { signal: this.#abort.signal, ...options });
  }

  /** A frame for the thread; dropped when there is none. */
  send(kind: FrameKind, meta: unknown, body?: readonly Uint8Array[]): void {
    if (!this.#isGone) this.#handle?.send(kind, meta, body);
  }

  /** Asks the adapter to stop. Before there is a thread nothing is there to ask: settled at once. */
  ask(stopTimeoutMs: number): void {
    if (this.#handle === null) {
      this.#owner.onStopSettled(this, null);
      return;
    }
    this.call("stop", {}, { deadlineMs: stopTimeoutMs }).then(
      () => this.#owner.onStopSettled(this, null),
      (reason: unknown) => this.#owner.onStopSettled(this, GatewayError.from(reason)),
    );
  }

  /** Ends the thread, or the attempt to open one. */
  terminate(): void {
    this.#abort.abort(new GatewayError("adapter_unavailable", `Generation ${this.generation} is no longer wanted`));
    this.#handle?.terminate();
  }

  /** The thread survived: its host must go. Remembered until there is a host to condemn. */
  condemn(reason: string): void {
    this.#condemnReason = reason;
    this.#handle?.condemnHost(reason);
  }

  async #run(slots: LifeOptions["slots"]): Promise<void> {
    const { signal } = this.#abort;
    try {
      this.#slot = await slots.acquire(signal);
      this.#slotTimer = after(slotHoldMs, () => this.#releaseSlot());
      this.#owner.onOpening(this, 0);
      const handle = await this.#hosts.open(this.#request(signal), this.#listener());
      this.#handle = handle;
      if (this.#isGone || signal.aborted) return this.#endLateHandle(handle);
    } catch (reason) {
      this.#gone({ kind: "unopened", error: GatewayError.from(reason) });
      return;
    }
    await this.#start();
  }

  async #start(): Promise<void> {
    try {
      // A call to a module that never loads would be lost. Its own end, or the deadline of the start, ends the wait.
      await orAborted(this.#loaded.promise, this.#abort.signal);
      const deadlineMs = this.spec.supervisor.startTimeoutMs;
      this.started = parseStarted(await this.call("start", {}, { deadlineMs }));
    } catch (reason) {
      if (!this.#isGone) this.#owner.onStartRejected(this, GatewayError.from(reason));
      return;
    }
    if (!this.#isGone) this.#owner.onStarted(this);
  }

  /** Ended while it was being opened: the order could not be given then. */
  #endLateHandle(handle: GenerationHandle): void {
    handle.terminate();
    if (this.#condemnReason !== null && !this.#isGone) handle.condemnHost(this.#condemnReason);
  }

  #request(signal: AbortSignal): Parameters<Hosts["open"]>[0] {
    const { key, platform, moduleUrl, settings, policy, supervisor } = this.spec;
    this.commands = this.#currentCommands();
    return {
      key,
      entry: "adapter",
      moduleUrl,
      heapLimitMb: heapLimitMb(supervisor.memoryLimitMb),
      init: { key, platform, generation: this.generation, settings, policy: { ...policy, commands: this.commands } },
      generation: this.generation,
      placement: this.placement,
      group: this.#group,
      standbyFor: supervisor.standby ? this.spec.fingerprints.connection : null,
      signal,
    };
  }

  #listener(): Parameters<Hosts["open"]>[1] {
    return {
      onHostDelayed: (delayMs) => this.#owner.onOpening(this, delayMs),
      onFrame: (frame) => {
        if (this.#isGone) return;
        if (!this.#isLoaded && isLoadedEvent(frame)) this.#onLoaded();
        this.#owner.onFrame(this, frame);
      },
      onSample: (sample) => {
        if (!this.#isGone) this.#owner.onSample(this, sample);
      },
      onDrained: () => {
        this.#isDrained = true;
        if (this.#exit !== null) this.#gone({ kind: "exited", exit: this.#exit });
      },
      onExited: (exit) => {
        this.#exit = exit;
        if (this.#isDrained || exit.cause === "open_failed") return this.#gone({ kind: "exited", exit });
        this.#drainTimer = after(drainGraceMs, () => this.#gone({ kind: "exited", exit }));
      },
      onHostGone: (gone) =>
        // A thread that had ended by itself was not taken down by its host.
        this.#gone(this.#exit === null ? { kind: "host_gone", gone } : { kind: "exited", exit: this.#exit }),
      onEvacuate: (evacuation) => {
        if (!this.#isGone) this.#owner.onEvacuate(this, evacuation);
      },
    };
  }

  #onLoaded(): void {
    this.#isLoaded = true;
    this.#releaseSlot();
    this.#loaded.resolve();
  }

  #releaseSlot(): void {
    if (this.#slot === null) return;
    this.#slotTimer?.[Symbol.dispose]();
    this.#slot[Symbol.dispose]();
    this.#slot = null;
  }

  #gone(end: LifeEnd): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#drainTimer?.[Symbol.dispose]();
    this.#releaseSlot();
    // Whatever still waits for this generation is told.
    this.#abort.abort(new GatewayError("worker_crashed", `Generation ${this.generation} is gone`));
    this.#owner.onGone(this, end);
  }
}

function isLoadedEvent(frame: Frame): boolean {
  return frame.kind === frameKinds.event && parseEvent(frame)?.event === "loaded";
}
