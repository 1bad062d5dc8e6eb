/** The commands and options of `bulkhead`, and what each of them runs. */
import { Command, CommanderError } from "commander";
import { AdminRefusal, NotRunningError } from "../admin-client.ts";
import { GatewayError } from "../contract/errors.ts";
import { command, reload } from "./adapters.ts";
import { capabilities } from "./capabilities.ts";
import { check } from "./check.ts";
import { findConfig, hasDefaultConfig } from "./config-file.ts";
import { CommandError, exitCodes, type CommandContext, type ConfigSource } from "./context.ts";
import { dropDeadLetter, listDeadLetters, retryDeadLetters, showDeadLetter } from "./dead-letters.ts";
import { doctor } from "./doctor.ts";
import { plan } from "./plan.ts";
import { inspect } from "./inspect.ts";
import { send } from "./send.ts";
import { status } from "./status.ts";
import { tail } from "./tail.ts";
import { printable } from "./text.ts";

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
/** `isSubject`: the command is about this file; else it only stands in where no other config says where the gateway is. */
type FileArgument = { readonly file: string | undefined; readonly isSubject?: boolean };
type Run = (action: (context: CommandContext) => number | Promise<number>, argument?: FileArgument) => Promise<void>;

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
    .action(() =>
      run((context) => {
        const interrupted = new AbortController();
        process.once("SIGINT", () => interrupted.abort());
        return tail(context, interrupted.signal);
      }),
    );
}

function messageCommands(program: Command, run: Run): void {
  program
    .command("send")
    .argument("<target>", "KEY/ADDRESS, such as webhook/conversation-1")
    .argument("<text>")
    .option("--no-wait", "do not wait for the receipt")
    .option("--timeout <seconds>", "how long to wait for it", "60")
    .option("--idempotency-key <key>", "the same key again sends nothing")
    .description("send a text through the outbox")
    .action((target: string, text: string, options: { wait: boolean; timeout: string; idempotencyKey?: string }) =>
      run((context) =>
        send(context, {
          target,
          text,
          idempotencyKey: options.idempotencyKey ?? null,
          waitMs: options.wait ? wholeSeconds(options.timeout) * 1000 : 0,
        }),
      ),
    );
  const deadLetters = program.command("dead-letters").description("messages no consumer could handle");
  deadLetters
    .command("list")
    .description("all of them")
    .action(() => run(listDeadLetters));
  deadLetters
    .command("show")
    .argument("<id>")
    .description("one, with its message")
    .action((id: string) => run((context) => showDeadLetter(context, id)));
  deadLetters
    .command("retry")
    .argument("[id]")
    .option("--all", "every one of them")
    .description("hand it to its consumer again")
    .action((id: string | undefined, { all }: { all?: true }) =>
      run((context) => retryDeadLetters(context, { id, all: all === true })),
    );
  deadLetters
    .command("drop")
    .argument("<id>")
    .description("forget it")
    .action((id: string) => run((context) => dropDeadLetter(context, id)));
}

function wholeSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new CommandError(exitCodes.usage, `Cannot read ${JSON.stringify(text)}: expected whole seconds`);
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
