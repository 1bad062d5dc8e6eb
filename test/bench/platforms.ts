/** Discord, Slack and Telegram with their real libraries: load, memory, a crash's cost, and what the others notice of faults. */
import { sleep } from "../../src/support/time.ts";
import { nextState } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { type BenchedAdapter, type BenchedPlatform, benchedPlatforms, crash, PlatformBench } from "./platform-bench.ts";
import { reportOf, sayOn } from "./platform-load.ts";
import { rssMegabytes } from "./process-usage.ts";
import { median } from "./statistics.ts";

const section = "platforms";
const perSecond = 200;
const seconds = 10;
const crashes = 5;
/** Garbage of the start is collected when V8 finds the time. */
const settleMs = 5_000;

/** All three at once. */
export async function measurePlatformLoad(): Promise<readonly Figure[]> {
  await using bench = await PlatformBench.start(benchedPlatforms);
  const [asker] = bench.adapters;
  if (asker === undefined) throw new Error("There is no adapter to measure");
  await sayOn(bench.adapters, { perSecond, seconds });
  const { count, p50Ms, p99Ms } = await reportOf(bench, asker);
  const note = `${perSecond} messages/s through each of ${bench.adapters.length} at once; ${count} delivered`;
  return [
    { section, name: "emit to consumer, p50", value: p50Ms, unit: "ms", note },
    { section, name: "emit to consumer, p99", value: p99Ms, unit: "ms", target: { below: 60 }, note },
  ];
}

/** Each alone in its host: heap and external as V8 counts them, RSS against a host with nothing in it but a webhook's size. */
export async function measurePlatformMemory(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of benchedPlatforms) {
    await using bench = await PlatformBench.start([name]);
    await sleep(settleMs);
    const { adapters } = await bench.gateway.status();
    const [adapter] = adapters;
    if (adapter?.host === undefined || adapter.host === null) throw new Error(`${name} has no host`);
    const megabytes = (bytes: number | null | undefined): number => (bytes ?? 0) / 2 ** 20;
    const row = (what: string, value: number): Figure => ({ section, name: `${name}: ${what}`, value, unit: "MB" });
    figures.push(
      row("heap", megabytes(adapter.memory?.heapBytes)),
      row("external", megabytes(adapter.memory?.externalBytes)),
      row("RSS of a host with it alone", rssMegabytes(adapter.host.pid)),
    );
  }
  return figures;
}

/** From the crash to the first message that is received again, less the backoff; without and with a warm thread waiting. */
export async function measurePlatformRespawn(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of benchedPlatforms)
    for (const isStandby of [false, true]) {
      await using bench = await PlatformBench.start([name], `standby = ${isStandby}\n`);
      const [adapter] = bench.adapters;
      if (adapter === undefined) throw new Error(`${name} does not run`);
      const overheads: number[] = [];
      for (let round = 0; round < crashes; round += 1) {
        if (isStandby) await sleep(settleMs);
        overheads.push(await measureCrash(bench, adapter));
      }
      figures.push({
        section,
        name: `${name}: crash to receiving again${isStandby ? ", standby" : ""}`,
        value: median(overheads),
        unit: "ms",
        target: { below: isStandby ? 400 : 1500 },
        note: `beyond the backoff; median of ${crashes}`,
      });
    }
  return figures;
}

async function measureCrash(bench: PlatformBench, adapter: BenchedAdapter): Promise<number> {
  const { key, platform } = adapter;
  const backingOff = nextState(bench.gateway, key, "backing_off");
  const running = nextState(bench.gateway, key, "running");
  await crash(adapter);
  const crashedAtMs = await backingOff;
  const status = (await bench.gateway.status()).adapters.find((candidate) => candidate.key === key);
  const delayMs = Math.max(0, Date.parse(status?.nextRetryAt ?? "") - crashedAtMs) || 0;
  await running;
  const reported = bench.gateway.nextLogged(({ event }) => event === "bench-delivered");
  await platform.say({ text: "report" });
  return Date.parse(String((await reported)["time"])) - crashedAtMs - delayMs;
}

type PlatformFaultCase = { readonly name: string; provoke(adapter: BenchedAdapter): void };

const faults: readonly PlatformFaultCase[] = [
  { name: "is cut off", provoke: ({ platform }) => platform.dropConnections() },
  { name: "goes half open", provoke: ({ platform }) => platform.freezeConnections() },
  {
    name: "is cut off from a server that hangs",
    provoke({ platform }) {
      platform.setFault("connect", { kind: "hang" });
      platform.dropConnections();
    },
  },
  {
    name: "is cut off from a server with errors",
    provoke({ platform }) {
      platform.setFault("connect", { kind: "server_error", status: 503, times: 1000 });
      platform.dropConnections();
    },
  },
  { name: "is sent nonsense", provoke: ({ platform }) => void platform.sayNonsense() },
  { name: "crashes", provoke: (adapter) => void crash(adapter) },
];

/** Each of the three in each fault; the worst of the three. */
export async function measurePlatformNeighbours(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const fault of faults) {
    let worst = { p99Ms: 0, of: "" };
    for (const name of benchedPlatforms) {
      const p99Ms = await measureUnder(fault, name);
      if (p99Ms >= worst.p99Ms) worst = { p99Ms, of: name };
    }
    const note = `${perSecond} messages/s through each of the others; the worst was ${worst.of}'s fault`;
    figures.push({
      section,
      name: `others' p99 while one ${fault.name}`,
      value: worst.p99Ms,
      unit: "ms",
      target: { below: 100 },
      note,
    });
  }
  return figures;
}

async function measureUnder(fault: PlatformFaultCase, faulty: BenchedPlatform): Promise<number> {
  await using bench = await PlatformBench.start(benchedPlatforms);
  const victim = bench.adapters.find(({ platform }) => platform.platform === faulty);
  const others = bench.adapters.filter((adapter) => adapter !== victim);
  const [asker] = others;
  if (victim === undefined || asker === undefined) throw new Error(`${faulty} does not run`);
  await sayOn(others, { perSecond, seconds: 2 });
  fault.provoke(victim);
  await sayOn(others, { perSecond, seconds: 5 });
  return (await reportOf(bench, asker)).p99Ms;
}
