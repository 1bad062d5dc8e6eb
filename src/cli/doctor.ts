/** `bulkhead doctor`: looks at everything that may be wrong, with the gateway running or not, and says what to do. */
import type { GatewayStatus } from "../contract/status.ts";
import { errorsOf } from "./check.ts";
import { nameConfig } from "./config-file.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { examineGateway } from "./examine-gateway.ts";
import { examineMachine } from "./examine-machine.ts";
import { ifRunning } from "./if-running.ts";
import { ok, problem, warning, type Finding } from "./finding.ts";
import { formatIssue, printable } from "./text.ts";

const signs: Readonly<Record<Finding["level"], string>> = { ok: "ok     ", warning: "warning", problem: "PROBLEM" };

/** Prints what it finds. Failed when something does not work, usage when that is the config; a gateway that does not run is no fault. */
export async function doctor(context: CommandContext): Promise<number> {
  const file = nameConfig(context.source);
  const loaded = await context.load(context.source);
  const status = await ifRunning(async () =>
    (await context.connect()).call<GatewayStatus>({ method: "GET", path: "/v1/status" }),
  );
  const errors = errorsOf(loaded);
  const findings: readonly Finding[] = [
    ok("node", process.version),
    ...errors.map((issue) => problem("config", formatIssue(issue, file))),
    ...(loaded.ok ? [...loaded.config.warnings, ...loaded.config.skippedBindings] : []).map((issue) =>
      warning("config", formatIssue(issue, file)),
    ),
    ...(errors.length === 0 ? [ok("config", `${file} is valid`)] : []),
    ...(loaded.ok ? await examineMachine(loaded.config, status !== null) : []),
    ...(status === null ? [warning("gateway", "not running", "bulkhead start")] : examineGateway(status)),
  ];
  if (context.json) context.print(JSON.stringify({ findings }, null, 2));
  else for (const finding of findings) context.print(formatFinding(finding));
  if (errors.length > 0) return exitCodes.usage;
  return findings.some(({ level }) => level === "problem") ? exitCodes.failed : exitCodes.done;
}

function formatFinding({ level, subject, message, userAction }: Finding): string {
  return printable(`${signs[level]}  ${subject}: ${message}${userAction === null ? "" : ` -> ${userAction}`}`);
}
