/** Every consumer by name: started, replaced and ended as their specs come and go, one after the other for each name. */
import type { CommandDeclaration } from "../contract/command.ts";
import type { Dispatcher } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Hosts } from "../contract/host.ts";
import type { ConsumerSpec } from "../contract/spec.ts";
import type { ConsumerStatus } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { orAborted, withDeadline } from "../support/time.ts";
import type { ConsumerServices } from "./consumer-services.ts";
import { EchoConsumer } from "./echo-consumer.ts";
import { LibraryConsumer } from "./library-consumer.ts";
import { ModuleConsumer } from "./module-consumer.ts";
import { WaitingConsumer } from "./waiting-consumer.ts";

/** What consumers work with. */
export type ConsumersOptions = {
  readonly hosts: Hosts;
  readonly dispatcher: Dispatcher;
  readonly services: ConsumerServices;
  readonly logger: Logger;
  /** @throws {GatewayError} when none can be given now. */
  readonly nextGeneration: () => number;
  /** What waits for a consumer and what it has given up, as flow counts it; `undefined` where it never had a message. */
  readonly counts: (name: string) => { readonly pending: number; readonly dead: number } | undefined;
  /**
   * What a consumer's module declares; `[]` once the consumer is gone or is another kind. While a successor loads, or
   * fails to, what its predecessor declared stands.
   */
  readonly onCommands?: (name: string, commands: readonly CommandDeclaration[]) => void;
  /** V8's limit for each thread of a module consumer. @default 4096 */
  readonly heapLimitMb?: number;
};

const defaultHeapLimitMb = 4096;
const disposeDeadlineMs = 500;

type Running = ModuleConsumer | EchoConsumer | LibraryConsumer | WaitingConsumer;
type Entry = {
  /** `null`: to be ended and forgotten. */
  wanted: ConsumerSpec | null;
  running: { readonly spec: ConsumerSpec; readonly consumer: Running } | null;
  isConverging: boolean;
  converged: Promise<void>;
};

/** The registry. A successor starts when its predecessor's handlers are done, or their time is over. */
export class Consumers implements AsyncDisposable {
  readonly #options: ConsumersOptions;
  readonly #entries = new Map<string, Entry>();
  #stopDeadlineMs: number | null = null;

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  /** What is wanted, by name. */
  get specs(): ReadonlyMap<string, ConsumerSpec> {
    const specs = new Map<string, ConsumerSpec>();
    for (const [name, { wanted }] of this.#entries) if (wanted !== null) specs.set(name, wanted);
    return specs;
  }

  /** Starts a consumer, or replaces it when its fingerprint differs. Returns at once. */
  apply(spec: ConsumerSpec): void {
    const entry = this.#entries.get(spec.name) ?? newEntry();
    this.#entries.set(spec.name, entry);
    entry.wanted = spec;
    this.#converge(entry, spec.name);
  }

  /** Ends a consumer. Its messages wait in the journal, or are routed anew by whoever knows better. */
  remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.wanted = null;
    this.#converge(entry, name);
  }

  /** Resolves when every consumer is what was last wanted. */
  async settled(): Promise<void> {
    for (;;) {
      const converging = [...this.#entries.values()].filter(({ isConverging }) => isConverging);
      if (converging.length === 0) return;
      await Promise.all(converging.map(({ converged }) => converged));
    }
  }

  /**
   * How the last change of `name` turned out: `null` when its new generation runs or it is gone, else why the first try
   * failed, though it goes on trying. Rejects with the signal's reason.
   */
  async outcome(name: string, signal: AbortSignal): Promise<string | null> {
    signal.throwIfAborted();
    for (let entry = this.#entries.get(name); entry !== undefined; entry = this.#entries.get(name)) {
      if (entry.isConverging) {
        await orAborted(entry.converged, signal);
        continue;
      }
      const { consumer } = entry.running ?? {};
      // What has no thread of its own runs as soon as it is there.
      return consumer instanceof ModuleConsumer ? orAborted(consumer.firstOutcome, signal) : null;
    }
    return null;
  }

  /** Every wanted consumer, as `GET /v1/status` shows it. */
  statuses(): readonly ConsumerStatus[] {
    return [...this.#entries].flatMap(([name, { wanted, running }]) => {
      if (wanted === null) return [];
      const { pending = 0, dead = 0 } = this.#options.counts(name) ?? {};
      const consumer = running?.consumer ?? null;
      const host = consumer instanceof ModuleConsumer ? consumer.hostPid : null;
      return [{ name, kind: wanted.target.kind, inFlight: consumer?.inFlight ?? 0, pending, dead, host }];
    });
  }

  /** The queue behind `messages(name)`. @throws {GatewayError} `not_found` when no such consumer of kind `library` runs. */
  library(name: string): LibraryConsumer {
    const consumer = this.#entries.get(name)?.running?.consumer;
    if (consumer instanceof LibraryConsumer) return consumer;
    throw new GatewayError(
      "not_found",
      `Cannot read messages of ${JSON.stringify(name)}: no library consumer has that name`,
    );
  }

  /** Ends all of them; handlers in flight may finish until the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopDeadlineMs = deadlineMs;
    for (const name of this.#entries.keys()) this.remove(name);
    await this.settled();
  }

  /** Like {@link Consumers.stop} at once; a thread that cannot be ended goes with its host. */
  async [Symbol.asyncDispose](): Promise<void> {
    await withDeadline(this.stop(0), disposeDeadlineMs, "Ending the consumers").catch((reason: unknown) =>
      this.#options.logger.warn("consumers-not-ended", { error: GatewayError.from(reason).message }),
    );
  }

  #converge(entry: Entry, name: string): void {
    if (entry.isConverging) return;
    entry.isConverging = true;
    entry.converged = this.#run(entry, name);
  }

  async #run(entry: Entry, name: string): Promise<void> {
    while (entry.running?.spec.fingerprint !== entry.wanted?.fingerprint) {
      const { running } = entry;
      if (running !== null) {
        try {
          await running.consumer.stop(this.#stopDeadlineMs ?? running.spec.timeoutMs);
        } catch (reason) {
          this.#options.logger.error("consumer-stop-failed", {
            consumer: name,
            error: GatewayError.from(reason).message,
          });
        }
        entry.running = null;
      }
      const { wanted } = entry;
      if (wanted !== null) entry.running = { spec: wanted, consumer: this.#start(wanted) };
      // The gateway's own end takes nothing back from the platforms: it will be there again.
      const isOver = wanted?.target.kind !== "module" && this.#stopDeadlineMs === null;
      if (isOver) this.#options.onCommands?.(name, []);
      this.#options.logger.info(wanted === null ? "consumer-stopped" : "consumer-started", { consumer: name });
    }
    // In the same breath as the loop's last look: a spec that comes later starts another round.
    entry.isConverging = false;
    if (entry.wanted === null) this.#entries.delete(name);
  }

  #start(spec: ConsumerSpec): Running {
    const { target } = spec;
    const { heapLimitMb = defaultHeapLimitMb } = this.#options;
    if (target.kind === "module")
      return ModuleConsumer.start({
        ...this.#options,
        heapLimitMb,
        spec,
        moduleUrl: target.moduleUrl,
        onCommands: (commands) => this.#options.onCommands?.(spec.name, commands),
      });
    if (target.kind === "echo") return new EchoConsumer({ ...this.#options, spec });
    if (target.kind === "library") return new LibraryConsumer({ ...this.#options, spec });
    this.#options.logger.warn("consumer-waits", { consumer: spec.name, kind: target.kind });
    return new WaitingConsumer();
  }
}

function newEntry(): Entry {
  return { wanted: null, running: null, isConverging: false, converged: Promise.resolve() };
}
