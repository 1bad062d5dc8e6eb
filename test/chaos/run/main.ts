/** `npm run chaos -- --minutes N --seed S [--complete]`: exit 0 when nothing was violated, 1 when something was, 2 for wrong arguments. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runChaos } from "./chaos-run.ts";
import { renderReport } from "./report.ts";

const reportsDir = fileURLToPath(new URL("../reports", import.meta.url));

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
    /** Where the report goes, instead of a name of its own beside the others. */
    report: { type: "string" },
    /** What the machine lacks makes the run fail; so it is where `CI` is set. */
    complete: { type: "boolean", default: !["", "false", "0"].includes(process.env["CI"] ?? "") },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write("Cannot run: expected --minutes N above 0 and --seed S, a whole number\n");
  process.exit(2);
}

const report = await runChaos({
  seed,
  minutes,
  isComplete: values.complete,
  say: (line) => process.stdout.write(`${line}\n`),
});
mkdirSync(reportsDir, { recursive: true });
const path = values.report ?? join(reportsDir, `seed-${seed}-${minutes}-minutes.md`);
writeFileSync(path, renderReport(report));
for (const violation of report.violations) process.stdout.write(`VIOLATED ${violation}\n`);
process.stdout.write(
  `${report.violations.length === 0 ? "passed" : `failed with ${report.violations.length} violations`}: seed ${seed}, ` +
    `${report.faults.length} faults in ${minutes} minutes, report in ${path}\n`,
);
process.exit(report.violations.length === 0 ? 0 : 1);
