/**
 * The public API: a gateway inside your own process, and the types that handlers and adapters are written with. Adapters' and
 * handlers' threads load this file too: what only a gateway needs is loaded by {@link createGateway}, and any Node can load the rest.
 */
import { resolve } from "node:path";
import type { AdapterModule } from "./contract/adapter.ts";
import type { GatewayEvent, PlannedConfig, PlanReport, ReloadReport } from "./contract/control.ts";
import type { HandlerContext } from "./contract/handler-context.ts";
import type { Message } from "./contract/message.ts";
import type { ResponseInput } from "./contract/response.ts";
import type { GatewayStatus } from "./contract/status.ts";
import type { LibraryDelivery } from "./consume/library-delivery.ts";
import { assertNodeIsNewEnough } from "./support/required-node.ts";

export { GatewayError } from "./contract/errors.ts";
export { RejectMessage } from "./contract/reject-message.ts";
export type { AdapterContext, AdapterModule, RunningAdapter } from "./contract/adapter.ts";
export type { CommandInput } from "./contract/command.ts";
export type { Message } from "./contract/message.ts";
export type { Response, ResponseInput } from "./contract/response.ts";
export type { GatewayStatus } from "./contract/status.ts";
export type { LibraryDelivery as Delivery } from "./consume/library-delivery.ts";
export type { HandlerContext } from "./contract/handler-context.ts";

assertNodeIsNewEnough(process.versions.node);

/** A consumer module's default export. Its result is the reply. */
export type Handler = (
  message: Message,
  context: HandlerContext,
) => Promise<ResponseInput | void> | ResponseInput | void;

/** Only types a handler: `export default defineHandler(async (message) => …)`. */
export function defineHandler(handler: Handler): Handler {
  return handler;
}

/** Only types an adapter module: `export default defineAdapter({ platform: "acme", … })`. */
export function defineAdapter<Settings>(adapter: AdapterModule<Settings>): AdapterModule<Settings> {
  return adapter;
}

/** A gateway in this process. Dispose it: `await using gateway = await createGateway(…)`. */
export interface Gateway extends AsyncDisposable {
  /** Messages of one consumer, as they come. Each must be acked, nacked or rejected. @throws {GatewayError} `not_found`. */
  messages(consumer: string, signal?: AbortSignal): AsyncIterable<LibraryDelivery>;
  /** `target` is `KEY/ADDRESS`. Resolves when it is on disk. @throws {GatewayError} `invalid_request`, `not_found`. */
  send(
    target: string,
    response: ResponseInput,
    options?: { readonly idempotencyKey?: string },
  ): Promise<{ readonly id: string; readonly state: string }>;
  status(): GatewayStatus;
  /** What a reload would do: with the config as it is now, or with another one: a value, a path, or TOML (any text with `=` or `[`). */
  plan(config?: CreateGatewayOptions["config"]): Promise<PlanReport>;
  /** Reads the config again. @default waitMs 0 */
  reload(options?: { readonly waitMs: number }): Promise<ReloadReport>;
  /** Runs an adapter that no reload touches. `adapterModuleUrl` is a file URL. @throws {GatewayError} `conflict` for a key that is taken. */
  register(key: string, adapterModuleUrl: string | URL, settings?: Readonly<Record<string, unknown>>): void;
  /** Ends what {@link Gateway.register} began. @throws {GatewayError} `not_found`. */
  unregister(key: string): void;
  /** States, messages, conditions and log lines from now on. */
  events(signal?: AbortSignal): AsyncIterable<GatewayEvent>;
}

/** What {@link createGateway} takes. */
export type CreateGatewayOptions = {
  /** A path, or the config as a value with the same keys. Consumers of kind `stream` are read by `messages()`. */
  readonly config: string | Readonly<Record<string, unknown>>;
  /** Each line of the log, as JSON. @default standard output */
  readonly log?: (line: string) => void;
};

/**
 * Starts a gateway. Resolves after the first reconcile.
 * @throws {GatewayError} `config_invalid` with every error, `conflict` when the state directory or a port is taken.
 */
export async function createGateway({ config, log }: CreateGatewayOptions): Promise<Gateway> {
  const [{ Gateway: RunningGateway }, { parseResponse }, { adapterModules, entries }] = await Promise.all([
    import("./gateway.ts"),
    import("./contract/response.ts"),
    import("../workers/catalog.ts"),
  ]);
  const running = await RunningGateway.start({
    source:
      typeof config === "string"
        ? { kind: "file", path: resolve(config) }
        : { kind: "object", value: config, baseDir: process.cwd() },
    environment: process.env,
    catalog: { entries, adapterModules },
    isLibrary: true,
    ...(log === undefined ? {} : { logDestination: { write: log } }),
  });
  const { control } = running;
  return {
    messages: (consumer, signal) => running.consumers.library(consumer).messages(signal),
    send: async (target, response, options) =>
      control.send({ target, response: parseResponse(response), idempotencyKey: options?.idempotencyKey ?? null }),
    status: () => control.status(),
    plan: (other) => control.plan(plannedConfig(other)),
    reload: (options) => control.reload(options ?? { waitMs: 0 }),
    register: (key, url, settings) => running.register(key, String(url), settings ?? {}),
    unregister: (key) => running.unregister(key),
    events: (signal) => control.events({ afterId: null, signal: signal ?? new AbortController().signal }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** A path has none of what every line of TOML that says anything has. */
function plannedConfig(config: CreateGatewayOptions["config"] | undefined): PlannedConfig | undefined {
  if (config === undefined) return undefined;
  if (typeof config !== "string") return { value: config };
  return config === "" || /[=[\n]/u.test(config) ? config : { path: resolve(config) };
}
