/** A running gateway: what a process entry or a program that uses the library holds on to. */
import type { Consumers } from "./consume/consumers.ts";
import type { Config } from "./contract/config.ts";
import type { GatewayControl } from "./contract/control.ts";
import { GatewayError } from "./contract/errors.ts";
import { buildStages, type Stages } from "./coordinator.ts";
import type { GatewayOptions } from "./gateway/gateway-options.ts";
import { sharedSpec } from "./gateway/shared-adapters.ts";
import { shutDown } from "./gateway/shutdown.ts";
import type { Logger } from "./support/logger.ts";

/** A running gateway. */
export class Gateway implements AsyncDisposable {
  readonly control: GatewayControl;
  readonly config: Config;
  /** Of the admin API, for people. */
  readonly adminAddress: string;
  readonly consumers: Consumers;
  readonly logger: Logger;
  readonly #stages: Stages;
  #owned: AsyncDisposable | null = null;
  #ending: Promise<void> | null = null;

  private constructor(stages: Stages) {
    this.#stages = stages;
    this.control = stages.control;
    this.config = stages.config;
    this.logger = stages.logger;
    this.consumers = stages.consumers;
    this.adminAddress = stages.adminAddress;
  }

  /**
   * Resolves after the first reconcile: every adapter has been told to start, none has been waited for.
   * @throws {InvalidConfigError} with every error; {GatewayError} `conflict` for a held state directory or port.
   */
  static async start(options: GatewayOptions): Promise<Gateway> {
    await using stack = new AsyncDisposableStack();
    const gateway = new Gateway(await buildStages(options, stack));
    gateway.#owned = stack.move();
    return gateway;
  }

  /** Reads the config again, as a save or SIGHUP does. */
  reconcile(): void {
    this.#stages.reconciler.trigger("signal");
  }

  /** Runs an adapter that no reload touches. @throws {GatewayError} `conflict` when the key is taken. */
  register(key: string, moduleUrl: string, settings: Readonly<Record<string, unknown>>): void {
    const { adapters, config } = this.#stages;
    adapters.apply(sharedSpec({ key, moduleUrl, settings, config, existing: adapters.spec(key) }), 0);
  }

  /** Ends a registered adapter. @throws {GatewayError} `not_found` for a key that no code registered. */
  unregister(key: string): void {
    const { adapters } = this.#stages;
    if (adapters.spec(key)?.owner !== "shared")
      throw new GatewayError("not_found", `Cannot unregister ${key}: no code has registered it`);
    adapters.stop(key, 0);
  }

  /** Drains within `shutdown_timeout_ms` and ends everything. What is unfinished is on disk. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= shutDown({ ...this.#stages, owned: this.#owned }, this.config.gateway.shutdownTimeoutMs);
    return this.#ending;
  }
}
