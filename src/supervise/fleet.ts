/** Every supervisor by runtime key: the adapters of one gateway, as reconcile, operators and the flow of messages see them. */
import type { CommandDeclaration } from "../contract/command.ts";
import type { HistoryEntry } from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { FrameKind } from "../contract/frame.ts";
import type { ControlMethod, StartedValue } from "../contract/protocol.ts";
import type { AdapterSpec, InvalidSpec } from "../contract/spec.ts";
import { orAborted, steadyNow, withDeadline } from "../support/time.ts";
import type { AdapterReport } from "./adapter-report.ts";
import type { SettledOutcome } from "./convergence.ts";
import type { GenerationLife } from "./generation-life.ts";
import { HostBlame } from "./host-blame.ts";
import { RetryBucket } from "./retry-bucket.ts";
import { StartSlots } from "./start-slots.ts";
import { loadRemembered, supervisionScopes, type Remembered } from "./supervision-store.ts";
import type { SupervisorContext } from "./supervisor-context.ts";
import { Supervisor } from "./supervisor.ts";

/** What a fleet is started with. */
export type FleetOptions = Pick<
  SupervisorContext,
  "hosts" | "generations" | "store" | "logger" | "onFrame" | "onChange"
> &
  Partial<
    Pick<
      SupervisorContext,
      "onObserved" | "onMissed" | "commands" | "rivals" | "random" | "now" | "redact" | "slots" | "bucket"
    >
  >;

const noCommands: readonly CommandDeclaration[] = [];

/** One adapter as it was told to be, however far it has got. */
export type ObservedSupervisor = {
  readonly owner: AdapterSpec["owner"];
  /** `null`: it never had a valid one. */
  readonly spec: AdapterSpec | null;
  readonly isPaused: boolean;
};

/** The supervisors of a gateway. No method but `settled` and `shutdown` waits for anything. */
export class AdapterFleet {
  readonly #context: SupervisorContext;
  readonly #supervisors = new Map<string, Supervisor>();
  readonly #remembered: Map<string, Remembered>;
  #isShuttingDown = false;

  private constructor(context: SupervisorContext, remembered: ReadonlyMap<string, Remembered>) {
    this.#context = context;
    this.#remembered = new Map(remembered);
  }

  /** With the backoff, the placements and the pauses that an earlier coordinator left. @throws {GatewayError} what the store rejects with. */
  static async start(options: FleetOptions): Promise<AdapterFleet> {
    const defaults = {
      onObserved: () => {},
      onMissed: () => {},
      commands: () => noCommands,
      rivals: () => [],
      random: Math.random,
      now: steadyNow,
      redact: (text: string) => text,
      slots: new StartSlots(),
      suspectTurns: new StartSlots(1),
      bucket: new RetryBucket(),
      blame: new HostBlame(),
    };
    return new AdapterFleet({ ...defaults, ...options }, await loadRemembered(options.store));
  }

  /** Runs `spec` under its key: starts, replaces, swaps the policy, or keeps what runs; ends an earlier `invalid`. */
  apply(spec: AdapterSpec, desiredGeneration: number): void {
    this.#assertOpen(spec.key);
    this.#ensure(spec).applySpec(spec, desiredGeneration);
  }

  /** Runs on with the last good spec, or is listed without one in the state `invalid`. */
  markInvalid(invalid: InvalidSpec, desiredGeneration: number): void {
    this.#assertOpen(invalid.key);
    this.#ensure(invalid).markInvalid(invalid.errors, desiredGeneration);
  }

  /** What {@link FleetOptions.commands} answers has changed: who can takes the new ones in place, nobody restarts for it. */
  commandsChanged(): void {
    for (const supervisor of this.#supervisors.values()) supervisor.refreshPolicy();
  }

  /** Ends the key and forgets it once its thread is gone. An unknown key is gone already. */
  stop(key: string, desiredGeneration: number): void {
    const supervisor = this.#supervisors.get(key);
    if (supervisor === undefined) return;
    void supervisor.remove(desiredGeneration).then(() => this.#forget(supervisor));
  }

  /** The number of the generation that follows. @throws {GatewayError} `not_found`, `conflict` without a valid spec, `journal_unavailable`. */
  restart(key: string, options: { readonly shared: boolean }): { readonly key: string; readonly generation: number } {
    return { key, generation: this.#get(key).restart({ toShared: options.shared }) };
  }

  /** The generation that is paused; 0: there never was one. @throws {GatewayError} `not_found`. */
  pause(key: string): { readonly key: string; readonly generation: number } {
    const supervisor = this.#get(key);
    supervisor.pause();
    return { key, generation: supervisor.generation.last };
  }

  /** The present or last generation. @throws {GatewayError} `not_found`. */
  resume(key: string): { readonly key: string; readonly generation: number } {
    const supervisor = this.#get(key);
    supervisor.resume();
    return { key, generation: supervisor.generation.last };
  }

  /**
   * Forgets the pauses of keys that an earlier config had and the present one does not name. Call it once the first
   * config is applied; what code registers may still come.
   */
  forgetPausesOfRemoved(): void {
    for (const [key, remembered] of this.#remembered) {
      if (remembered.pause?.owner !== "config") continue;
      this.#remembered.set(key, { ...remembered, pause: null });
      this.#context.store.put(supervisionScopes.pause, key, null);
    }
  }

  /**
   * One control call of the key's running generation.
   * @throws {GatewayError} `not_found`, `adapter_unavailable` when none runs, else what the adapter answered, `timeout`, `worker_crashed`.
   */
  async call(
    key: string,
    method: ControlMethod,
    args: unknown,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<unknown> {
    return this.#get(key).call(method, args, options);
  }

  /** The key's live generation, to look into; `null`: none. @throws {GatewayError} `not_found`. */
  life(key: string): Pick<GenerationLife, "inspect"> | null {
    return this.#get(key).generation.life;
  }

  /** A frame for one generation of a key; dropped when it is not the live one. */
  send(
    to: { readonly key: string; readonly generation: number },
    kind: FrameKind,
    meta: unknown,
    body?: readonly Uint8Array[],
  ): void {
    this.#supervisors.get(to.key)?.send(to.generation, kind, meta, body);
  }

  /** What the key's running module declared; `null` while none runs. */
  started(key: string): StartedValue | null {
    return this.#supervisors.get(key)?.generation.started ?? null;
  }

  /** The key's live generation; `null`: none. */
  generation(key: string): number | null {
    return this.#supervisors.get(key)?.generation.live ?? null;
  }

  /** The spec the key obeys; `null`: unknown, or never valid. */
  spec(key: string): AdapterSpec | null {
    return this.#supervisors.get(key)?.spec ?? null;
  }

  /** @throws {GatewayError} `not_found`. */
  history(key: string): readonly HistoryEntry[] {
    return this.#get(key).history();
  }

  /** Every adapter, also those that are on their way out. */
  statuses(): readonly AdapterReport[] {
    return [...this.#supervisors.values()].map((supervisor) => supervisor.status());
  }

  /** For reconcile: every key that is to exist. */
  observed(): ReadonlyMap<string, ObservedSupervisor> {
    const wanted = [...this.#supervisors.values()].filter(({ isUnwanted }) => !isUnwanted);
    return new Map(wanted.map(({ key, spec, isPaused }) => [key, { owner: spec?.owner ?? "config", spec, isPaused }]));
  }

  /** `done`: the key obeys this config, is paused, or is gone. `failed`: a first try has come to nothing. Rejects with the signal's reason. */
  async settled(key: string, desiredGeneration: number, signal: AbortSignal): Promise<SettledOutcome> {
    signal.throwIfAborted();
    const supervisor = this.#supervisors.get(key);
    return supervisor === undefined ? "done" : orAborted(supervisor.settled(desiredGeneration, signal), signal);
  }

  /** Ends every adapter, each under its own deadlines, all under this one; what is on disk stays. Returns the keys that did not end. */
  async shutdown(deadlineMs: number): Promise<readonly string[]> {
    this.#isShuttingDown = true;
    const ends = [...this.#supervisors.values()].map((supervisor) =>
      supervisor.stop().then(() => this.#forget(supervisor)),
    );
    try {
      await withDeadline(Promise.all(ends), deadlineMs, "Stopping the adapters");
    } catch (reason) {
      // Hosts end next, and what is left ends with them.
      const keys = [...this.#supervisors.keys()];
      this.#context.logger.warn("adapters-left-behind", { keys, error: GatewayError.from(reason).message });
    }
    return [...this.#supervisors.keys()];
  }

  #ensure(wanted: { readonly key: string; readonly platform: string }): Supervisor {
    const { key, platform } = wanted;
    let supervisor = this.#supervisors.get(key);
    if (supervisor === undefined) {
      const remembered = this.#remembered.get(key);
      supervisor = new Supervisor({
        key,
        platform,
        context: this.#context,
        ...(remembered === undefined ? {} : { remembered }),
      });
      this.#remembered.delete(key);
      this.#supervisors.set(key, supervisor);
    }
    return supervisor;
  }

  /** Unless it was wanted again, which may be between its end and now. */
  #forget(supervisor: Supervisor): void {
    if (supervisor.isRemoved && this.#supervisors.get(supervisor.key) === supervisor)
      this.#supervisors.delete(supervisor.key);
  }

  #get(key: string): Supervisor {
    const supervisor = this.#supervisors.get(key);
    if (supervisor !== undefined) return supervisor;
    const known = [...this.#supervisors.keys()].join(", ") || "none";
    throw new GatewayError("not_found", `Cannot find adapter "${key}": configured are ${known}`);
  }

  #assertOpen(key: string): void {
    if (this.#isShuttingDown)
      throw new GatewayError("adapter_unavailable", `Cannot run "${key}": the gateway is shutting down`);
  }
}
