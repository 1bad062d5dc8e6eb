/**
 * The thread's end of the protocol: turns any adapter module into a supervised adapter. A Piscina task that lives as long
 * as its generation. It trusts the coordinator and distrusts the module: everything the module can reach is bounded.
 */
import { parentPort } from "node:worker_threads";
import type {
  AdapterContext,
  AdapterModule,
  DoubtfulSend,
  Policy,
  RunningAdapter,
  SendRequest,
} from "../src/contract/adapter.ts";
import { GatewayError, type ErrorReport } from "../src/contract/errors.ts";
import type { AdapterInit, StartedValue } from "../src/contract/protocol.ts";
import { createContext } from "./adapter-context.ts";
import { exposeControl } from "./control-table.ts";
import { Emitter } from "./emitter.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { loadModule } from "./load-module.ts";
import { captureConsole, ThreadPort, type ThreadTask } from "./thread-port.ts";

/** Runs one generation; returns when it was asked to stop and has, or at once with why its module could not be loaded. */
export default async function run(task: ThreadTask<AdapterInit>): Promise<ErrorReport | undefined> {
  // Piscina's own port is a side channel without credit: nothing in this thread may reach it.
  parentPort?.close();
  using _heartbeat = startHeartbeat(task.heartbeat);
  const port = new ThreadPort(task.dataPort);
  captureConsole(port.log);
  const stopped = Promise.withResolvers<void>();
  let module: AdapterModule;
  try {
    module = await loadModule(task.moduleUrl, isAdapterModule);
  } catch (reason) {
    return GatewayError.from(reason).toReport();
  }
  const runtime = new AdapterRuntime(module, task.init, port);
  exposeControl(
    task.controlPort,
    {
      start: (args?: { readonly init?: AdapterInit }) =>
        runtime.start(args?.init).finally(() => {
          port.log.flush();
          port.flush();
        }),
      stop: async () => {
        await runtime.stop();
        // After the answer is on its way, so that whoever asked sees it before the end of the thread.
        setImmediate(() => stopped.resolve());
      },
      send: (args: Omit<SendRequest, "signal">) => runtime.send(args),
      completeSend: (args: Omit<DoubtfulSend, "signal">) => runtime.completeSend(args),
      setStatus: (args: Parameters<NonNullable<RunningAdapter["setStatus"]>>[0]) =>
        runtime.running.setStatus?.(args) ?? done(),
      history: async (args: Parameters<NonNullable<RunningAdapter["history"]>>[0]) =>
        (await runtime.running.history?.(args)) ?? [],
      attachment: (args: AttachmentCall) => runtime.attachment(args),
      updatePolicy: (args: { readonly policy: Policy }) => runtime.updatePolicy(args.policy),
      probe: async () => runtime.running.probe?.(),
    },
    (why) => port.log.warn("control-frame-refused", { why }),
  );
  port.event({ event: "loaded" });
  await stopped.promise;
  port.log.flush();
  port.flush();
  return undefined;
}

async function done(): Promise<void> {}

type AttachmentCall = Omit<Parameters<NonNullable<RunningAdapter["attachment"]>>[0], "signal">;

/** One adapter between its start and its stop. */
class AdapterRuntime {
  readonly #module: AdapterModule;
  readonly #emitter: Emitter;
  #context: AdapterContext;
  readonly #port: ThreadPort;
  readonly #ended = new AbortController();
  #running: RunningAdapter | null = null;

  constructor(module: AdapterModule, init: AdapterInit, port: ThreadPort) {
    this.#module = module;
    this.#port = port;
    this.#emitter = new Emitter(port, init);
    this.#context = this.#createContext(init);
  }

  /** @throws {GatewayError} `adapter_unavailable` before its start is done. */
  get running(): RunningAdapter {
    if (this.#running !== null) return this.#running;
    throw new GatewayError("adapter_unavailable", `Cannot reach ${this.#context.key}: it has not started`);
  }

  /** `init`: where this thread was a spare until now, which is told for whom it exists only here. */
  async start(init: AdapterInit | undefined): Promise<StartedValue> {
    if (init !== undefined) this.#context = this.#createContext(init);
    const context = { ...this.#context, settings: parseSettings(this.#module, this.#context.settings) };
    const running = await this.#module.start(context);
    this.#running = running;
    running.closed?.then(
      () => this.#port.event({ event: "closed", error: null }),
      (reason: unknown) => this.#port.event({ event: "closed", error: GatewayError.from(reason).toReport() }),
    );
    return {
      maxSilenceMs: this.#module.maxSilenceMs,
      pull: this.#module.pull ?? false,
      overlap: this.#module.overlap ?? false,
      canUpdatePolicy: running.updatePolicy !== undefined,
      canProbe: running.probe !== undefined,
      canCompleteSend: running.completeSend !== undefined,
      sendRates: running.sendRates ?? {},
      capabilities: this.#module.capabilities,
    };
  }

  #createContext(init: AdapterInit): AdapterContext {
    return createContext({ init, port: this.#port, emitter: this.#emitter, signal: this.#ended.signal });
  }

  async stop(): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", `${this.#context.key} is stopping`));
    await this.#running?.stop();
  }

  async send(request: Omit<SendRequest, "signal">): Promise<{ readonly platformMessageId: string | null }> {
    const { running } = this;
    if (running.send === undefined)
      throw new GatewayError("unsupported_response", `Cannot send to ${this.#context.key}: its module has no send`);
    const receipt = await running.send({ ...request, signal: this.#ended.signal });
    return { platformMessageId: receipt?.platformMessageId ?? null };
  }

  async completeSend(request: Omit<DoubtfulSend, "signal">): Promise<{ readonly platformMessageId: string | null }> {
    const { running } = this;
    if (running.completeSend === undefined)
      throw new GatewayError("timeout", `Cannot tell what of a send to ${this.#context.key} arrived`);
    const receipt = await running.completeSend({ ...request, signal: this.#ended.signal });
    return { platformMessageId: receipt?.platformMessageId ?? null };
  }

  async attachment(request: AttachmentCall): Promise<{ readonly sizeBytes: number }> {
    const { running } = this;
    if (running.attachment === undefined)
      throw new GatewayError(
        "not_found",
        `Cannot fetch the attachment: the module of ${this.#context.key} fetches none`,
      );
    return running.attachment({ ...request, signal: this.#ended.signal });
  }

  async updatePolicy(policy: Policy): Promise<void> {
    if (this.running.updatePolicy === undefined)
      throw new GatewayError(
        "unsupported_response",
        `Cannot swap the policy of ${this.#context.key}: its module has no updatePolicy`,
      );
    await this.running.updatePolicy(policy);
  }
}

function parseSettings(
  module: AdapterModule,
  settings: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const parsed = module.settings?.safeParse(settings);
  if (parsed === undefined) return settings;
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `settings.${issue.path.join(".")}: ${issue.message}`);
  throw new GatewayError("config_invalid", `Cannot start with these settings: ${problems.join("; ")}`);
}

function isAdapterModule(value: unknown): value is AdapterModule {
  if (typeof value !== "object" || value === null) return false;
  const { platform, start, maxSilenceMs } = value as Record<string, unknown>;
  return typeof platform === "string" && typeof start === "function" && typeof maxSilenceMs === "number";
}
