/** A run in words, for people who have to believe it. */
import { retryKeys } from "./chaos-config.ts";
import { describeFault } from "./fault.ts";
import type { FaultOutcome } from "./fault-outcomes.ts";
import type { Holdings } from "./holdings.ts";
import type { PlatformCounts } from "./ledger.ts";

/** Everything that a report says. */
export type ChaosReport = {
  readonly seed: number;
  readonly minutes: number;
  readonly startedAt: string;
  readonly machine: string;
  readonly skipped: readonly string[];
  readonly faults: readonly FaultOutcome[];
  readonly lives: number;
  readonly convergedAfterMs: number | null;
  readonly settledAfterMs: number | null;
  readonly counts: Readonly<Record<string, PlatformCounts>>;
  readonly restartsByReason: Readonly<Record<string, number>>;
  readonly before: Holdings | null;
  readonly after: Holdings | null;
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

\`npm run chaos -- --minutes ${report.minutes} --seed ${report.seed}\`, begun ${report.startedAt}, on ${report.machine}.
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

## What the coordinator held

| | ${Object.keys(report.before ?? {}).join(" | ")} |
| --- | ${Object.keys(report.before ?? {})
    .map(() => "---:")
    .join(" | ")} |
| before | ${Object.values(report.before ?? {}).join(" | ")} |
| after | ${Object.values(report.after ?? {}).join(" | ")} |

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
