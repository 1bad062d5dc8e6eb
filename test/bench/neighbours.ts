/** What seven adapters notice while the eighth does its worst. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { sleep } from "../../src/support/time.ts";
import { freePort, type RunningGateway } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, faultTables, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { runLoad, type LoadResult } from "./load.ts";

const section = "faults";
const neighbours = 7;
const perSecond = 200;
const warmUpSeconds = 2;
/** Before the fault, in the same gateway: what the time under the fault is compared with. */
const quietSeconds = 8;

/** The longest of each fault's course is in the measured time: a hang is found after ten seconds. */
type Fault = { readonly name: string; readonly command: Readonly<Record<string, unknown>>; readonly seconds: number };

/** In the home, beside the module: an adapter may read there. */
const fifoName = "fifo";

/** They take a thread, or less. */
const threadFaults: readonly Fault[] = [
  { name: "throws", command: { do: "throw" }, seconds: 6 },
  { name: "rejects unhandled", command: { do: "reject" }, seconds: 6 },
  { name: "calls process.exit", command: { do: "exit" }, seconds: 6 },
  { name: "ends its stream", command: { do: "close" }, seconds: 6 },
  { name: "spins", command: { do: "spin" }, seconds: 14 },
  { name: "leaks heap", command: { do: "leak-heap", megabytesPerSecond: 50 }, seconds: 8 },
  { name: "leaks Buffers", command: { do: "leak-buffers", megabytesPerSecond: 200 }, seconds: 8 },
  { name: "floods", command: { do: "flood", count: 50_000 }, seconds: 8 },
  { name: "blocks four file jobs", command: { do: "pool-fifo", path: fifoName }, seconds: 6 },
];

/** They take the whole host, neighbours included: what counts is how long. */
const hostFaults: readonly Fault[] = [
  { name: "kills its host", command: { do: "kill-host" }, seconds: 8 },
  { name: "stops its host", command: { do: "stop-host" }, seconds: 12 },
  { name: "fills a Map to the heap limit", command: { do: "map-bomb" }, seconds: 14 },
  { name: "blocks in native code", command: { do: "hash" }, seconds: 24 },
];

/** Each fault against a gateway of its own. */
export async function measureNeighbours(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const fault of threadFaults) {
    const { quiet, under } = await measureUnder(fault);
    figures.push({
      section,
      name: `others' p99 while one ${fault.name}`,
      value: under.p99Ms,
      unit: "ms",
      target: { below: 100 },
      note: `${perSecond} round trips/s; longest ${Math.round(under.maxMs)} ms`,
    });
    figures.push({
      section,
      name: `the same, against the quiet time before`,
      value: under.p99Ms / quiet.p99Ms,
      unit: "ratio",
      target: { below: 1.5 },
      note: `p99 ${quiet.p99Ms.toFixed(1)} ms then; p50 ${quiet.p50Ms.toFixed(1)} then, ${under.p50Ms.toFixed(1)} under it`,
    });
  }
  for (const fault of hostFaults) {
    const { maxMs } = (await measureUnder(fault)).under;
    const note = "the host goes with it: the longest round trip";
    figures.push({ section, name: `others' longest wait when one ${fault.name}`, value: maxMs, unit: "ms", note });
  }
  return figures;
}

/** A round trip that never comes to its end is a lost message, and ends the measurement. */
async function measureUnder({
  command,
  seconds,
}: Fault): Promise<{ readonly quiet: LoadResult; readonly under: LoadResult }> {
  using home = new BenchHome();
  execFileSync("mkfifo", [join(home.dir, fifoName)]);
  const ports: number[] = [];
  for (let index = 0; index < neighbours; index += 1) ports.push(await freePort());
  const fault = faultTables(home, 1);
  const instances = ports.map((port, index) => `[[messaging.webhook.instances]]\nname = "w${index}"\nport = ${port}\n`);
  home.writeConfig(
    `[supervisor]\nmemory_limit_mb = 64\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n${fault.toml}${instances.join("")}`,
  );
  await using gateway = await startGateway(home);
  await allRunning(gateway, [...fault.keys, ...ports.map((_, index) => `webhook:w${index}`)]);
  const load = { ports, conversations: 70, pace: { perSecond }, warmUpSeconds, pids: [] };
  const quiet = await runLoad({ ...load, seconds: quietSeconds });
  const [under] = await Promise.all([
    runLoad({ ...load, seconds }),
    provokeLater(gateway, fault.keys, "path" in command ? { ...command, path: join(home.dir, fifoName) } : command),
  ]);
  if (under.unanswered > 0) throw new Error(`${under.unanswered} round trips never came to their end`);
  return { quiet, under };
}

/** Half a second into the measured time. */
async function provokeLater(
  gateway: RunningGateway,
  [key = ""]: readonly string[],
  command: Fault["command"],
): Promise<void> {
  await sleep(warmUpSeconds * 1000 + 500);
  await gateway.provoke(key, command);
}
