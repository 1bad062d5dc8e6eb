/** A run's figures on the screen and in files. */
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, totalmem } from "node:os";
import { join } from "node:path";
import { isMet, targetText, type Figure } from "./figure.ts";

/** A run: when, on what, and what came of it. */
export type Report = {
  readonly startedAt: string;
  readonly machine: string;
  readonly node: string;
  readonly figures: readonly Figure[];
};

/** The machine as a reader needs it to judge the numbers. */
export function describeMachine(): string {
  const [cpu] = cpus();
  return `${cpus().length} x ${cpu?.model ?? arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()}`;
}

/** The report as Markdown. */
export function formatReport({ startedAt, machine, node, figures }: Report): string {
  const rows = figures.map((figure) => [
    figure.section,
    figure.name,
    `${formatNumber(figure.value)} ${figure.unit}`,
    targetText(figure.target),
    { true: "met", false: "**missed**", null: "" }[String(isMet(figure)) as "true" | "false" | "null"],
    figure.note ?? "",
  ]);
  const lines = [["section", "figure", "value", "target", "", "how"], Array.from({ length: 6 }, () => "---"), ...rows];
  const table = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return `# Benchmarks of ${startedAt}\n\nNode ${node} on ${machine}.\n\n${table}\n`;
}

/** Writes `<startedAt>.json` and `.md` into `directory`; returns the path without the extension. */
export function writeReport(report: Report, directory: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, report.startedAt.slice(0, 19).replaceAll(":", "-"));
  const figures = report.figures.map((figure) => ({ ...figure, met: isMet(figure) }));
  writeFileSync(`${path}.json`, `${JSON.stringify({ ...report, figures }, null, 2)}\n`);
  writeFileSync(`${path}.md`, formatReport(report));
  return path;
}

function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}
