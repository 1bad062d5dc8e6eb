/** `bulkhead reload`, `restart`, `pause`, `resume`: what an operator sets going. */
import { AdminRefusal } from "../admin-client.ts";
import type { ReloadAction } from "../contract/control.ts";
import { nameConfig } from "./config-file.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { formatIssue, formatTable } from "./text.ts";

const spareMs = 15_000;

/** `reload [--wait]`. Failed when an outcome failed; usage when the config was refused. `waitSeconds` 0: outcomes stay pending. */
export async function reload(context: CommandContext, waitSeconds: number): Promise<number> {
  const gateway = await context.connect();
  try {
    const report = await gateway.call<{ configGeneration: number; actions: readonly ReloadAction[] }>({
      method: "POST",
      path: waitSeconds === 0 ? "/v1/reload" : `/v1/reload?wait=${waitSeconds}`,
      timeoutMs: waitSeconds * 1000 + spareMs,
    });
    if (context.json) context.print(JSON.stringify(report, null, 2));
    else printReload(context, report);
    return report.actions.some(({ outcome }) => outcome === "failed") ? exitCodes.failed : exitCodes.done;
  } catch (reason) {
    if (!(reason instanceof AdminRefusal) || reason.status !== 422) throw reason;
    if (context.json) context.print(JSON.stringify({ errors: reason.issues }, null, 2));
    for (const issue of reason.issues) context.complain(formatIssue(issue, nameConfig(context.source)));
    context.complain("bulkhead: the config was refused, what runs goes on");
    return exitCodes.usage;
  }
}

/** `restart KEY [--shared]`, `pause KEY`, `resume KEY`. */
export async function command(
  context: CommandContext,
  verb: "restart" | "pause" | "resume",
  options: { readonly key: string; readonly shared: boolean },
): Promise<number> {
  const gateway = await context.connect();
  const path = `/v1/adapters/${encodeURIComponent(options.key)}/${verb}${options.shared ? "?shared=true" : ""}`;
  const answer = await gateway.call<{ key: string; generation: number }>({ method: "POST", path });
  context.print(
    context.json ? JSON.stringify(answer) : `${answer.key}: ${verb} requested, generation ${answer.generation}`,
  );
  return exitCodes.done;
}

function printReload(
  context: CommandContext,
  report: { readonly configGeneration: number; readonly actions: readonly ReloadAction[] },
): void {
  context.print(`config ${report.configGeneration}`);
  if (report.actions.length === 0) return;
  context.print(
    formatTable(
      ["KEY", "ACTION", "OUTCOME", "REASON"],
      report.actions.map(({ key, action, outcome, reason }) => [key, action, outcome, reason]),
    ),
  );
}
