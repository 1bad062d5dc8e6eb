/** `bulkhead plan [F]`: what a reload would do, in the running gateway's eyes or against nothing. */
import { readFile } from "node:fs/promises";
import type { AdminClient } from "../admin-client.ts";
import type { PlanReport } from "../contract/control.ts";
import { errorsOf } from "./check.ts";
import { nameConfig } from "./config-file.ts";
import { exitCodes, type CommandContext, type ConfigSource } from "./context.ts";
import { ifRunning } from "./if-running.ts";
import { formatIssue, formatTable } from "./text.ts";

/** `named`: the file to plan for, or `null` for the gateway's own as it is now. Done with or without changes; usage when there are errors. */
export async function plan(context: CommandContext, named: ConfigSource | null): Promise<number> {
  const asked = await ifRunning(async () => ask(await context.connect(), named));
  const report = asked ?? (await planOffline(context, named ?? context.source));
  if (context.json) context.print(JSON.stringify(report, null, 2));
  else print(context, report, { source: named ?? context.source, isRunning: asked !== null });
  return report.errors.length === 0 ? exitCodes.done : exitCodes.usage;
}

async function ask(gateway: AdminClient, named: ConfigSource | null): Promise<PlanReport> {
  if (named?.kind !== "file") return gateway.call<PlanReport>({ method: "GET", path: "/v1/plan" });
  const body = await readFile(named.path, "utf8");
  return gateway.call<PlanReport>({ method: "POST", path: "/v1/plan", body });
}

async function planOffline(context: CommandContext, source: ConfigSource): Promise<PlanReport> {
  const loaded = await context.load(source);
  const actions = loaded.ok ? context.planFromNothing(loaded.config) : [];
  return { configGeneration: 0, actions, errors: errorsOf(loaded) };
}

function print(
  context: CommandContext,
  report: PlanReport,
  options: { readonly source: ConfigSource; readonly isRunning: boolean },
): void {
  const file = nameConfig(options.source);
  for (const issue of report.errors) context.complain(formatIssue(issue, file));
  context.print(
    options.isRunning
      ? `against the running gateway (config ${report.configGeneration})`
      : "no gateway is running: against nothing",
  );
  if (report.actions.length === 0) return;
  context.print(
    formatTable(
      ["ACTION", "KEY", "REASON", "FIELDS"],
      report.actions.map(({ action, key, reason, fields }) => [action, key, reason, fields.join(" ")]),
    ),
  );
}
