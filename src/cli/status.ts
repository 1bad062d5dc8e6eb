/** `bulkhead status`: every adapter on one line, and what is wrong. */
import type { AdapterStatus, GatewayStatus } from "../contract/status.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { formatAge, formatBytes, formatSeconds, formatTable, printable } from "./text.ts";

/** Prints the gateway's status. */
export async function status(context: CommandContext): Promise<number> {
  const gateway = await context.connect();
  const report = await gateway.call<GatewayStatus>({ method: "GET", path: "/v1/status" });
  context.print(context.json ? JSON.stringify(report, null, 2) : formatStatus(report, Date.now()));
  return exitCodes.done;
}

/** A status as text, seen at `nowMs`. */
export function formatStatus(report: GatewayStatus, nowMs: number): string {
  const { coordinator, journal } = report;
  const sections = [
    `bulkhead ${report.version}  pid ${report.pid}  up ${formatSeconds(report.uptimeSeconds)}  config ${report.configGeneration}  cpu ${coordinator.cpuPercent.toFixed(1)}%  ${formatBytes(coordinator.rssBytes)}`,
    formatTable(
      ["KEY", "STATE", "REASON", "SINCE", "RESTARTS", "CPU", "MEMORY", "IN/OUT", "PENDING"],
      report.adapters.map((adapter) => adapterRow(adapter, nowMs)),
    ),
    formatTable(
      ["CONSUMER", "KIND", "IN FLIGHT", "PENDING", "DEAD"],
      report.consumers.map(({ name, kind, inFlight, pending, dead }) => [
        name,
        kind,
        `${inFlight}`,
        `${pending}`,
        `${dead}`,
      ]),
    ),
    `journal ${formatBytes(journal.bytes)} of ${formatBytes(journal.maxBytes)}, ${journal.pending} pending, ${journal.dead} dead, durability ${journal.durability}`,
    ...remarks(report),
  ];
  return sections.join("\n\n");
}

function adapterRow(adapter: AdapterStatus, nowMs: number): readonly string[] {
  const { memory, messages, queue } = adapter;
  return [
    adapter.key,
    adapter.state,
    adapter.reason === "none" ? "" : adapter.reason,
    formatAge(adapter.since, nowMs),
    `${adapter.restarts}`,
    `${adapter.cpu.percent.toFixed(1)}%`,
    formatBytes(memory.rssBytes ?? memory.heapBytes + memory.externalBytes),
    `${messages.in}/${messages.out}`,
    `${queue.pending}`,
  ];
}

/** What a person should read: conditions, and per adapter why and what to do. */
function remarks(report: GatewayStatus): readonly string[] {
  const conditions = report.conditions.map(
    ({ code, key, message }) => `${code}${key === null ? "" : ` ${key}`}: ${message}`,
  );
  const causes = report.adapters
    .filter(({ message, userAction }) => message !== null || userAction !== null)
    .map(
      ({ key, message, userAction }) => `${key}: ${[message, userAction].filter((text) => text !== null).join("; ")}`,
    );
  const lines = [...new Set([...conditions, ...causes])];
  return lines.length === 0 ? [] : [lines.map(printable).join("\n")];
}
