/** A run in words, for people who have to believe it. */
import { retryKeys } from "./chaos-config.ts";
import { describeFault } from "./fault.ts";
import type { FaultOutcome } from "./fault-outcomes.ts";
import type { PlatformCounts } from "./ledger.ts";
import type { Look } from "./looks.ts";

/** Everything that a report says. */
export type ChaosReport = {
  readonly seed: number;
  readonly minutes: number;
  readonly startedAt: string;
  readonly machine: string;
  /** Averages of the last minute, five and fifteen when it was over: what else keeps the machine busy makes all later. */
  readonly load: readonly string[];
  readonly skipped: readonly string[];
  readonly faults: readonly FaultOutcome[];
  readonly lives: number;
  readonly convergedAfterMs: number | null;
  readonly settledAfterMs: number | null;
  readonly counts: Readonly<Record<string, PlatformCounts>>;
  readonly restartsByReason: Readonly<Record<string, number>>;
  readonly looks: readonly Look[];
  readonly notes: readonly string[];
  readonly violations: readonly string[];
};

/** As Markdown. */
export function renderReport(report: ChaosReport): string {
  const { violations, faults, counts } = report;
  const columns: readonly (keyof PlatformCounts)[] = [
    "said",
    "promised",
    "heard",
    "heardAgain",
    "sent",
    "shown",
    "unknown",
    "mostUnknown",
    "failed",
  ];
  return `# Chaos run, seed ${report.seed}, ${report.minutes} minutes: ${violations.length === 0 ? "passed" : "FAILED"}

\`npm run chaos -- --minutes ${report.minutes} --seed ${report.seed}\`, begun ${report.startedAt}, on ${report.machine}, load ${report.load.join(" ")} at its end.
${report.skipped.length === 0 ? "Every kind of fault was possible." : `Not possible here: ${report.skipped.join("; ")}.`}

- ${faults.length} faults, ${report.lives} lives of the coordinator
- as the last config says ${inSeconds(report.convergedAfterMs)} after the last fault (10 s are allowed)
- all that was promised heard and all sends settled ${inSeconds(report.settledAfterMs)} after the last word
- restarts of adapters in the last life: ${list(report.restartsByReason)}

## Violations

${bullets(violations)}

## Ledger

| platform | ${columns.join(" | ")} |
| --- | ${columns.map(() => "---:").join(" | ")} |
${Object.entries(counts)
  .map(([platform, row]) => `| ${platform} | ${columns.map((column) => row[column]).join(" | ")} |`)
  .join("\n")}

\`promised\`: the platform was told that we have it, or would give it again. \`heardAgain\`: under lease when something died,
and marked so. \`unknown\`: sent, and the answer was lost; \`mostUnknown\`: sends that a service met with a fault, and one
for each conversation and each moment at which what was on its way there was cut off. \`failed\`: only what a service that
refused our credentials refused.

## What was held at quiet moments

${renderLooks(report.looks)}

A coordinator is compared with itself, the shared host while it holds the same adapters, the connections and sockets that a
service sees with what they were when everything had just started.

## Notes

${bullets(report.notes)}

## Keys of the run

\`\`\`toml
${retryKeys.trim()}
\`\`\`

## Faults

${faults.map(({ fault, trouble }) => `- ${(fault.atMs / 1000).toFixed(1)} s: ${describeFault(fault)}${trouble === null ? "" : ` (could not be done: ${trouble})`}`).join("\n")}
`;
}

function renderLooks(looks: readonly Look[]): string {
  const rows = looks.map(({ life, atMs, coordinator, host, services }) => {
    const held = { ...coordinator, rssBytes: `${Math.round(coordinator.rssBytes / 1_048_576)} MiB` };
    const counts = Object.entries(services).map(([key, { live, openSockets }]) => `${key} ${live}/${openSockets}`);
    return [
      `${(atMs / 1000).toFixed(1)} s, life ${life}`,
      Object.entries(held)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
      `process ${host.pid}, ${host.keys.length} adapters, threads ${host.threads}, descriptors ${host.descriptors}`,
      counts.join(", "),
    ];
  });
  const head = ["when", "the coordinator", "the shared host", "connections/sockets"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function inSeconds(ms: number | null): string {
  return ms === null ? "never" : `${(ms / 1000).toFixed(1)} s`;
}

function bullets(lines: readonly string[]): string {
  return lines.length === 0 ? "None." : lines.map((line) => `- ${line}`).join("\n");
}

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? "none" : entries.map(([reason, count]) => `${count} ${reason}`).join(", ");
}
