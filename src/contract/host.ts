/** One generation in its host, as supervisors and consumers see it: what they may ask, what they are told. */
import type { Frame, FrameKind } from "./frame.ts";
import type { HostMethod, ExitedMeta, OpenMeta, ThreadSample } from "./protocol.ts";
import type { HostKind, HostStatus } from "./status.ts";

/** Where a generation should live. `consumer`: a host of its own with the environment inherited and no permission model. */
export type Placement = "shared" | "own" | "consumer";

/** What it takes to run one generation. */
export type OpenRequest = OpenMeta & {
  readonly generation: number;
  readonly placement: Placement;
  /** Which of several shared hosts: those of one group live together. @default "" */
  readonly group?: string;
  /**
   * What a spare thread must have been opened for to be used instead of a new one, and that one is to be kept from its
   * start on; `null` or left out: none.
   */
  readonly standbyFor?: string | null;
  /** Aborted: the generation is no longer wanted; opening stops, or its thread is terminated. */
  readonly signal: AbortSignal;
};

/**
 * Why a host is gone: its process ended, it was silent and got SIGKILL, or we killed it for an unkillable thread. The same
 * object for all that lived in it, which were `keys`.
 */
export type HostGone = {
  readonly cause: "died" | "silent" | "killed";
  readonly detail: string;
  readonly keys: readonly string[];
};

/** Why a host is being emptied. The same object for all that live in it, which are `keys`. */
export type Evacuation = { readonly cause: "unkillable" | "too_large"; readonly keys: readonly string[] };

/** What a generation's owner is told. Nothing comes after `onHostGone`, or after `onExited` and `onDrained`. */
export type GenerationListener = {
  /** There is no host for `delayMs`: the last ones of its place died, and the next one must wait. Before it is opened. */
  onHostDelayed(delayMs: number): void;
  /** `data`, `request` and `event` frames, in order. */
  onFrame(frame: Frame): void;
  onSample(sample: ThreadSample): void;
  /** Its data port is drained and closed: nothing more will come of it. */
  onDrained(): void;
  /** Its thread is gone. */
  onExited(exit: ExitedMeta): void;
  onHostGone(gone: HostGone): void;
  /** Its host must end for another's sake: move to a fresh one. */
  onEvacuate(evacuation: Evacuation): void;
};

/** One opened generation. */
export interface GenerationHandle {
  readonly generation: number;
  readonly hostPid: number;
  readonly hostKind: HostKind;
  /**
   * One control call.
   * @throws {GatewayError} what the adapter answered; `timeout` at the deadline; `worker_crashed` when the thread or host died.
   */
  call(
    method: HostMethod,
    args: unknown,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<unknown>;
  /** A frame for the thread: `accepted`, `credit`, `answer` or `deliver`. Dropped once it is gone. */
  send(kind: FrameKind, meta: unknown, body?: readonly Uint8Array[]): void;
  /** Ends the thread. Its end is told by `onExited`. */
  terminate(): void;
  /** Its thread survived `terminate()`: the host must go. Others in it get `onEvacuate`, then it gets SIGKILL. */
  condemnHost(reason: string): void;
}

/** The pool of host processes. */
export interface Hosts extends AsyncDisposable {
  /** Resolves when the host has the `open` frame. @throws {GatewayError} `adapter_unavailable` when no host could be started. */
  open(request: OpenRequest, listener: GenerationListener): Promise<GenerationHandle>;
  status(): readonly HostStatus[];
  /** RSS by host pid, for an adapter alone in its host. */
  rssBytes(hostPid: number): number;
  /** Whatever hosts there are in `delayMs` get SIGKILL then, unless they are disposed of before. */
  killAfter(delayMs: number): void;
}
