/** What pm2 shows and may ask: metrics per adapter, actions, and the word that the gateway is ready. Bare messages, no library of pm2's. */
import type { GatewayControl } from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { AdapterStatus } from "../contract/status.ts";
import type { Logger } from "../support/logger.ts";
import { every } from "../support/time.ts";

const monitorPeriodMs = 1000;
const bytesPerMebibyte = 1024 * 1024;

/** The IPC channel to pm2. */
export interface Pm2Channel {
  /** Never throws; a message that cannot be sent is lost. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): Disposable;
}

type Monitored = Readonly<Record<string, { readonly value: string; readonly unit: string }>>;
type Action = { readonly arity: 0 | 1; readonly run: (control: GatewayControl, key: string) => unknown };

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["restart-adapter", { arity: 1, run: (control, key) => control.restart(key, { shared: false }) }],
  ["pause-adapter", { arity: 1, run: (control, key) => control.pause(key) }],
  ["resume-adapter", { arity: 1, run: (control, key) => control.resume(key) }],
  ["reload-config", { arity: 0, run: (control) => control.reload({ waitMs: 0 }) }],
  ["status", { arity: 0, run: (control) => control.status().adapters.map(summarize) }],
]);

/** The channel of a process that pm2 started; `null` for any other, even one with a parent that listens. */
export function pm2ChannelOf(target: NodeJS.Process): Pm2Channel | null {
  if (target.send === undefined || target.env["pm_id"] === undefined) return null;
  const send = target.send.bind(target);
  return {
    // A callback, since without one a closed channel is an uncaught error.
    send: (message) => void send(message, undefined, undefined, () => {}),
    onMessage: (listener) => {
      target.on("message", listener);
      // A listener alone must not keep the process alive.
      target.channel?.unref();
      return { [Symbol.dispose]: () => void target.off("message", listener) };
    },
  };
}

/** pm2's `wait_ready`: send it after the first reconcile. Without pm2 it does nothing. */
export function sendReady(channel: Pm2Channel | null): void {
  channel?.send("ready");
}

/** Whether pm2 runs this process as one of a cluster. */
export function isClustered(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment["exec_mode"] === "cluster_mode";
}

/**
 * One gateway is one process: two of them would hold every platform connection twice.
 * @throws {GatewayError} `config_invalid` under pm2's cluster mode.
 */
export function assertNotClustered(environment: Readonly<Record<string, string | undefined>>): void {
  if (!isClustered(environment)) return;
  throw new GatewayError(
    "config_invalid",
    "Cannot start in pm2's cluster mode: each instance would connect every adapter again, expected fork mode with one instance",
    { userAction: "Start it with the ecosystem.config.cjs that comes with Bulkhead, or with exec_mode fork" },
  );
}

/** Reports to pm2 each second and answers its actions, until disposed. */
export function startPm2(options: {
  readonly control: GatewayControl;
  readonly logger: Logger;
  readonly channel: Pm2Channel;
}): Disposable {
  const { control, logger, channel } = options;
  const stack = new DisposableStack();
  for (const [name, { arity }] of actions) channel.send({ type: "axm:action", data: { action_name: name, arity } });
  let shownKeys: ReadonlySet<string> = new Set();
  const report = (): void => {
    const { adapters } = control.status();
    channel.send({ type: "axm:monitor", data: monitored(adapters, shownKeys) });
    shownKeys = new Set(adapters.map((adapter) => adapter.key));
  };
  const onError = (reason: unknown): void =>
    logger.warn("pm2-report-failed", { error: GatewayError.from(reason).toReport() });
  stack.use(every(monitorPeriodMs, report, onError));
  stack.use(
    channel.onMessage((message) => {
      const request = parseRequest(message);
      if (request === null) return;
      answer(control, request).then(
        (result) => channel.send({ type: "axm:reply", data: { return: result, action_name: request.name } }),
        onError,
      );
    }),
  );
  return stack;
}

/** pm2 merges what it gets into what it has: a key that is gone stays unless it is overwritten, hence the tombstone. */
function monitored(adapters: readonly AdapterStatus[], shownKeys: ReadonlySet<string>): Monitored {
  const data: Record<string, { value: string; unit: string }> = {};
  for (const key of shownKeys) {
    data[`${key} cpu`] = { value: "0", unit: "%" };
    data[`${key} mem`] = { value: "0", unit: "MiB" };
    data[`${key} state`] = { value: "removed", unit: "" };
  }
  for (const adapter of adapters) {
    const { key, memory } = adapter;
    const bytes = memory.rssBytes ?? memory.heapBytes + memory.externalBytes;
    data[`${key} cpu`] = { value: adapter.cpu.percent.toFixed(1), unit: "%" };
    data[`${key} mem`] = { value: (bytes / bytesPerMebibyte).toFixed(1), unit: "MiB" };
    data[`${key} state`] = { value: adapter.state, unit: "" };
  }
  return data;
}

type ActionRequest = { readonly name: string; readonly action: Action; readonly parameter: string };

/** `pm2 trigger APP ACTION` sends the bare name, `pm2 trigger APP ACTION PARAMETER` sends `{ msg, opts }`. */
function parseRequest(message: unknown): ActionRequest | null {
  const { msg, opts } = (typeof message === "object" && message !== null ? message : { msg: message }) as {
    readonly msg?: unknown;
    readonly opts?: unknown;
  };
  const action = typeof msg === "string" ? actions.get(msg) : undefined;
  if (typeof msg !== "string" || action === undefined) return null;
  return { name: msg, action, parameter: typeof opts === "string" ? opts : "" };
}

async function answer(control: GatewayControl, { name, action, parameter }: ActionRequest): Promise<unknown> {
  try {
    if (action.arity === 1 && parameter === "")
      throw new GatewayError("invalid_request", `Cannot run ${name}: no parameter, expected a runtime key`);
    return await action.run(control, parameter);
  } catch (reason) {
    const { code, message } = GatewayError.from(reason);
    return { error: { code, message } };
  }
}

function summarize({ key, state, reason, restarts }: AdapterStatus): Partial<AdapterStatus> {
  return { key, state, reason, restarts };
}
