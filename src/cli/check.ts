/** `bulkhead check [F]`: every error and warning of a config, without starting anything. */
import type { LoadResult } from "../contract/config.ts";
import type { ConfigIssue } from "../contract/spec.ts";
import { nameConfig } from "./config-file.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { formatIssue } from "./text.ts";

/** Prints what is wrong with the config; usage when there is any error, whether it stops the config or one adapter. */
export async function check(context: CommandContext): Promise<number> {
  const { source } = context;
  const loaded = await context.load(source);
  const errors = errorsOf(loaded);
  const warnings = loaded.ok ? [...loaded.config.warnings, ...loaded.config.skippedBindings] : [];
  const exitCode = errors.length === 0 ? exitCodes.done : exitCodes.usage;
  const file = nameConfig(source);
  if (context.json) {
    context.print(JSON.stringify({ ok: errors.length === 0, errors, warnings }, null, 2));
    return exitCode;
  }
  for (const issue of errors) context.complain(formatIssue(issue, file));
  for (const issue of warnings) context.complain(`warning: ${formatIssue(issue, file)}`);
  if (errors.length > 0) context.complain(`bulkhead: ${file} has ${count(errors.length, "error")}`);
  else if (loaded.ok)
    context.print(
      `${file}: valid, ${count(loaded.config.adapters.length, "adapter")}, ${count(loaded.config.consumers.length, "consumer")}`,
    );
  return exitCode;
}

/** Every error: of the config as a whole, or of the adapters that it holds back. */
export function errorsOf(loaded: LoadResult): readonly ConfigIssue[] {
  return loaded.ok ? loaded.config.invalid.flatMap((spec) => spec.errors) : loaded.errors;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
