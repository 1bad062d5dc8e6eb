/** What the definitions of commands share: how one is run, and how its options are read. */
import { CommandError, exitCodes, type CommandContext } from "./context.ts";

/**
 * `isSubject`: the command is about this file; else it only stands in where no other config says where the gateway is.
 * `isNew`: the command makes it.
 */
export type FileArgument = {
  readonly file?: string | undefined;
  readonly isSubject?: boolean;
  readonly isNew?: boolean;
};
/** Runs a command's action with its surroundings; its result is the exit code. */
export type Run = (
  action: (context: CommandContext) => number | Promise<number>,
  argument?: FileArgument,
) => Promise<void>;

/** Aborts at Ctrl-C, which ends a command that goes on and on as it should end. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  return interrupted.signal;
}

/** @throws {CommandError} usage, for anything but whole seconds. */
export function wholeSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new CommandError(exitCodes.usage, `Cannot read ${JSON.stringify(text)}: expected whole seconds`);
}
