/** The commands and options of `bulkhead`, and what each of them runs. */
import { Command, CommanderError } from "commander";
import { AdminRefusal, NotRunningError } from "../admin-client.ts";
import { GatewayError } from "../contract/errors.ts";
import { command, reload } from "./adapters.ts";
import { capabilities } from "./capabilities.ts";
import { check } from "./check.ts";
import { findConfig, hasDefaultConfig, newConfig } from "./config-file.ts";
import { interruption, wholeSeconds, type FileArgument, type Run } from "./command-run.ts";
import { CommandError, exitCodes, type CommandContext, type ConfigSource } from "./context.ts";
import { doctor } from "./doctor.ts";
import { init } from "./init.ts";
import { messageCommands } from "./message-commands.ts";
import { plan } from "./plan.ts";
import { inspect } from "./inspect.ts";
import { status } from "./status.ts";
import { tail } from "./tail.ts";
import { printable } from "./text.ts";
import { top } from "./top.ts";

/** What only the process entry can do: it alone may import the stages. */
export type ProgramEntries = {
  /** The product's, such as `0.1.0`. */
  readonly version: string;
  /** `configPath` null: the embedded default. Resolves to the exit code. */
  start(configPath: string | null): Promise<number>;
  schema(): Promise<unknown>;
  /** Writes to standard error, as it is. */
  complain(text: string): void;
  /** Writes to standard output, as it is. */
  print(text: string): void;
  context(options: { readonly source: ConfigSource; readonly json: boolean }): CommandContext;
};

type GlobalOptions = { readonly config?: string; readonly json?: true };
/** Runs one command line (without `node` and the script) and resolves to its exit code. Never rejects. */
export async function runProgram(parameters: readonly string[], entries: ProgramEntries): Promise<number> {
  let exitCode: number = exitCodes.done;
  const program = new Command("bulkhead");
  const run: Run = async (action, argument) => {
    const options = program.opts<GlobalOptions>();
    const source = findSource(options, argument);
    exitCode = await action(entries.context({ source, json: options.json === true }));
  };
  program
    .description("A messaging gateway that keeps a flaky adapter from hurting the others")
    .version(entries.version, "--version", "print the version")
    .option("--config <file>", "the config file (default: ./bulkhead.toml, else the embedded default)")
    .option("--json", "print JSON where a person would read a table")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => entries.print(text),
      writeErr: (text) => entries.complain(text),
      outputError: (text, write) => write(text.replace(/^error: /, "bulkhead: ")),
    })
    .exitOverride();
  offlineCommands(program, run, entries);
  operatorCommands(program, run);
  messageCommands(program, run);
  try {
    await program.parseAsync(parameters, { from: "user" });
    return exitCode;
  } catch (reason) {
    return fail(reason, entries);
  }
}

function findSource(options: GlobalOptions, argument: FileArgument | undefined): ConfigSource {
  if (argument?.isNew === true) return newConfig(options.config);
  if (argument?.file === undefined) return findConfig(options.config);
  if (argument.isSubject === true) return findConfig(argument.file);
  return findConfig(options.config ?? (hasDefaultConfig() ? undefined : argument.file));
}

function offlineCommands(program: Command, run: Run, entries: ProgramEntries): void {
  program
    .command("start")
    .description("run the gateway in the foreground")
    .action(() => run(({ source }) => entries.start(source.kind === "file" ? source.path : null)));
  program
    .command("init")
    .description("write a config and a handler to begin with")
    .action(() => run(init, { isNew: true }));
  program
    .command("check")
    .argument("[file]", "the config to check instead")
    .description("every error and warning of a config")
    .action((file?: string) => run((context) => check(context), { file, isSubject: true }));
  program
    .command("plan")
    .argument("[file]", "the config to plan for instead")
    .description("what a reload would do")
    .action((file?: string) => run((context) => plan(context, file === undefined ? null : findConfig(file)), { file }));
  program
    .command("schema")
    .description("the JSON Schema of the config")
    .action(() =>
      run(async (context) => {
        context.print(JSON.stringify(await entries.schema(), null, 2));
        return exitCodes.done;
      }),
    );
  program
    .command("capabilities")
    .description("what each platform does with each response kind")
    .action(() => run(capabilities));
  program
    .command("doctor")
    .description("what is wrong, on this machine and in the running gateway, and what to do")
    .action(() => run(doctor));
}

function operatorCommands(program: Command, run: Run): void {
  program
    .command("status")
    .description("state of the gateway and its adapters")
    .action(() => run(status));
  program
    .command("top")
    .option("--interval <seconds>", "how often", "1")
    .description("the status again and again, who uses the most CPU first")
    .action(({ interval }: { interval: string }) =>
      run((context) =>
        top(context, {
          intervalMs: Math.max(1, wholeSeconds(interval)) * 1000,
          isTerminal: process.stdout.isTTY,
          signal: interruption(),
        }),
      ),
    );
  program
    .command("reload")
    .option("--wait [seconds]", "wait for the outcomes (default: 60)")
    .description("take the config as it is now")
    .action(({ wait }: { wait?: true | string }) =>
      run((context) => reload(context, wait === undefined ? 0 : wait === true ? 60 : wholeSeconds(wait))),
    );
  program
    .command("restart")
    .argument("<key>", "the runtime key, such as webhook or webhook:ops")
    .option("--shared", "back into the shared host: ends a quarantine")
    .description("restart one adapter")
    .action((key: string, { shared }: { shared?: true }) =>
      run((context) => command(context, "restart", { key, shared: shared === true })),
    );
  for (const verb of ["pause", "resume"] as const)
    program
      .command(verb)
      .argument("<key>", "the runtime key")
      .description(`${verb} one adapter`)
      .action((key: string) => run((context) => command(context, verb, { key, shared: false })));
  program
    .command("heap-snapshot")
    .argument("<key>", "the runtime key")
    .option("--out <file>", "where to; default: KEY.heapsnapshot")
    .description("what is on one adapter's heap, for developer tools; it may hold secrets")
    .action((key: string, { out }: { out?: string }) =>
      run((context) => inspect(context, { key, seconds: null, out: out ?? null })),
    );
  program
    .command("cpu-profile")
    .argument("<key>", "the runtime key")
    .option("--seconds <n>", "how long", "10")
    .option("--out <file>", "where to; default: KEY.cpuprofile")
    .description("where one adapter's time goes, for developer tools")
    .action((key: string, { seconds, out }: { seconds: string; out?: string }) =>
      run((context) => inspect(context, { key, seconds: wholeSeconds(seconds), out: out ?? null })),
    );
  program
    .command("tail")
    .description("messages as they come")
    .action(() => run((context) => tail(context, interruption())));
}

/** One sentence on standard error. */
function fail(reason: unknown, entries: ProgramEntries): number {
  if (reason instanceof CommanderError) return reason.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const exitCode =
    reason instanceof CommandError
      ? reason.exitCode
      : reason instanceof NotRunningError
        ? exitCodes.notRunning
        : reason instanceof GatewayError && reason.code === "config_invalid" && !(reason instanceof AdminRefusal)
          ? exitCodes.usage
          : exitCodes.failed;
  const { message } = reason instanceof Error ? reason : GatewayError.from(reason);
  entries.complain(`bulkhead: ${printable(message)}\n`);
  return exitCode;
}
