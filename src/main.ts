/** The gateway as a process: from a config file and signals to an exit code. */
import { resolve } from "node:path";
import { assertNotClustered, isClustered, pm2ChannelOf, sendReady, startPm2 } from "./admin/pm2.ts";
import { GatewayError } from "./contract/errors.ts";
import { formatIssue, InvalidConfigError } from "./contract/invalid-config-error.ts";
import { describeStart } from "./gateway/describe-start.ts";
import { watchForLeaks } from "./gateway/leak-watch.ts";
import { Gateway } from "./gateway.ts";
import { after } from "./support/time.ts";
import { adapterModules, entries } from "../workers/catalog.ts";

const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** Runs a gateway until it is told to end. `configPath` null: the embedded default. Resolves to the exit code. */
export async function runGateway(options: { readonly configPath: string | null }): Promise<number> {
  const { configPath } = options;
  try {
    assertNotClustered(process.env);
    const gateway = await Gateway.start({
      source:
        configPath === null
          ? { kind: "embedded", baseDir: process.cwd() }
          : { kind: "file", path: resolve(configPath) },
      environment: process.env,
      catalog: { entries, adapterModules },
    });
    return await runUntilSignal(gateway);
  } catch (reason) {
    const exitCode = explain(reason);
    // A cluster's process is kept alive by what pm2 has put into it, and would look as if it ran.
    if (isClustered(process.env)) process.stderr.write("", "utf8", () => process.exit(exitCode));
    return exitCode;
  }
}

async function runUntilSignal(gateway: Gateway): Promise<number> {
  const ended = Promise.withResolvers<string>();
  const onSignal = (signal: string): void => {
    // The second one means: now.
    process.on(signal, () => killSelf());
    ended.resolve(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => onSignal(signal));
  process.on("SIGHUP", () => gateway.reconcile());
  const channel = pm2ChannelOf(process);
  using stack = new DisposableStack();
  if (channel !== null) stack.use(startPm2({ control: gateway.control, logger: gateway.logger, channel }));
  sendReady(channel);
  const { human, fields } = describeStart(gateway.config, gateway.adminAddress);
  if (process.stdout.isTTY) process.stdout.write(`${human}\n`);
  gateway.logger.info("gateway-ready", fields);

  let exitCode: number = exitCodes.done;
  if (gateway.config.gateway.restartOnLeakedThread === "idle")
    stack.use(
      watchForLeaks({
        status: () => gateway.control.status(),
        onHandOver(keys) {
          gateway.logger.warn("gateway-restarting", { keys });
          exitCode = exitCodes.failed;
          ended.resolve("thread_leaked");
        },
        onError: (reason) => gateway.logger.error("leak-watch-failed", { error: GatewayError.from(reason).message }),
      }),
    );

  const signal = await ended.promise;
  gateway.logger.info("gateway-stopping", { signal });
  // `process.exit()` waits for every thread, and one in native code never ends: the deadline is the kernel's.
  stack.use(after(gateway.config.gateway.shutdownTimeoutMs, killSelf));
  await gateway[Symbol.asyncDispose]();
  gateway.logger.info("gateway-stopped", {});
  // Whatever still holds the process has had its time: an inline thread in native code, a pipe nobody reads.
  after(exitGraceMs, killSelf);
  return exitCode;
}

const exitGraceMs = 500;

function killSelf(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Bad input gets all its errors, everything else one sentence; a stack only for what is our own fault. */
function explain(reason: unknown): number {
  if (reason instanceof InvalidConfigError) {
    for (const issue of reason.issues) process.stderr.write(`bulkhead: ${formatIssue(issue)}\n`);
    return exitCodes.usage;
  }
  const error = GatewayError.from(reason);
  process.stderr.write(
    `bulkhead: ${error.code === "internal" ? (error.toReport().stack ?? error.message) : error.message}\n`,
  );
  if (error.userAction !== null) process.stderr.write(`bulkhead: ${error.userAction}\n`);
  return error.code === "config_invalid" ? exitCodes.usage : exitCodes.failed;
}
