/**
 * `npm run bench [-- SECTION…]`: measures the compiled gateway, prints a table and writes it to bench-results/.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { measureAcceptLatency } from "./accept-latency.ts";
import { measureEmailBacklog, measureHostileMails } from "./email.ts";
import { measureEndToEnd } from "./end-to-end.ts";
import { measureFanIn } from "./fan-in.ts";
import type { Figure } from "./figure.ts";
import { measureHostDeath } from "./host-death.ts";
import { measureIdle } from "./idle.ts";
import { measureMemory } from "./memory.ts";
import { measureNeighbours } from "./neighbours.ts";
import { measurePlan } from "./plan-time.ts";
import {
  measurePlatformLoad,
  measurePlatformMemory,
  measurePlatformNeighbours,
  measurePlatformRespawn,
} from "./platforms.ts";
import { describeMachine, formatReport, writeReport } from "./report.ts";
import { measureRestarts } from "./restart-time.ts";

type Measurement = () => Promise<readonly Figure[]>;

const sections: Readonly<Record<string, readonly Measurement[]>> = {
  plan: [measurePlan],
  "fan-in": [measureFanIn],
  "end-to-end": [measureEndToEnd],
  latency: [measureAcceptLatency],
  memory: [measureMemory],
  faults: [measureRestarts, measureHostDeath, measureNeighbours],
  platforms: [measurePlatformLoad, measurePlatformMemory, measurePlatformRespawn, measurePlatformNeighbours],
  email: [measureEmailBacklog, measureHostileMails],
  idle: [measureIdle],
};
const projectDirectory = fileURLToPath(new URL("../..", import.meta.url));

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(sections);
const unknown = wanted.filter((name) => !Object.hasOwn(sections, name));
if (unknown.length > 0) {
  process.stderr.write(`No such section: ${unknown.join(", ")}; there are ${Object.keys(sections).join(", ")}\n`);
  process.exit(2);
}

execFileSync("npm", ["run", "-s", "prepare"], { cwd: projectDirectory, stdio: "inherit" });
const startedAt = new Date().toISOString();
const figures: Figure[] = [];
for (const name of wanted)
  for (const measure of sections[name] ?? []) {
    process.stderr.write(`${name}: ${measure.name}\n`);
    figures.push(...(await measure()));
  }
const report = { startedAt, machine: describeMachine(), node: process.version, figures };
const path = writeReport(report, `${projectDirectory}bench-results`);
process.stdout.write(`${formatReport(report)}\nWritten to ${path}.json and .md\n`);
