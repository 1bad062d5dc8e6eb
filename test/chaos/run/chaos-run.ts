/** One run: everything is started, goes wrong as planned, comes to rest, is ended, and is judged. */
import { cpus } from "node:os";
import { join } from "node:path";
import type { GatewayStatus } from "../../../src/contract/status.ts";
import { sleep } from "../../../src/support/time.ts";
import { GatewayHome } from "../../support/gateway-fixture.ts";
import { countOpenSends } from "../../support/journal-copy.ts";
import { processesOf } from "../../support/processes-of.ts";
import { SmallDisk, whyNoMount } from "../../support/small-disk.ts";
import { chaosConfig, faultKey, secretFile } from "./chaos-config.ts";
import { ChaosGateway, handler, isNumbered, type HeardCall } from "./chaos-gateway.ts";
import { startPlatforms, whyNoEmail, type ChaosPlatform } from "./chaos-platforms.ts";
import { whatIsMissing } from "./convergence.ts";
import { describeFault, type Fault } from "./fault.ts";
import { undoneFaults, type FaultOutcome } from "./fault-outcomes.ts";
import { holdingsOf, leaksBetween, type Holdings } from "./holdings.ts";
import { inject, type World } from "./inject.ts";
import { judge, type Ledger } from "./ledger.ts";
import { wrongEnds } from "./life-ends.ts";
import type { ChaosReport } from "./report.ts";
import { schedule } from "./schedule.ts";
import { excusesOf } from "./send-excuses.ts";
import { leftBehind } from "./left-behind.ts";
import { Traffic } from "./traffic.ts";
import { WallClock, whyNoClock } from "./wall-clock.ts";

const diskMegabytes = 768;
const startDeadlineMs = 60_000;
/** After the last fault. */
const convergeDeadlineMs = 10_000;
/** After the last word: what is on its way, retries of sends, a platform's own redelivery. */
const settleDeadlineMs = 90_000;
const lookPeriodMs = 250;

/** What a run is. `say` is told how it goes. */
export type ChaosOptions = {
  readonly seed: number;
  readonly minutes: number;
  /** What this machine lacks is a violation, not left out. */
  readonly isComplete: boolean;
  readonly say: (line: string) => void;
};

/** Runs it. Never rejects for what a gateway does: that is in the report. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, minutes, isComplete, say } = options;
  await using stack = new AsyncDisposableStack();
  const [noMount, noClock] = [whyNoMount(), whyNoClock()];
  const skipped = [noClock, whyNoEmail()].flatMap((reason) => reason ?? []);
  const home = new GatewayHome();
  if (noMount === null) stack.use(new SmallDisk(join(home.dir, "data"), diskMegabytes));
  const clock = new WallClock(home.dir);
  const platforms = await startPlatforms(stack);
  const keys = [...platforms.map(({ key }) => key), faultKey];
  home.writeFile("handler.mjs", handler);
  home.writeFile(secretFile, "the first secret\n");
  home.writeConfig(chaosConfig(platforms));
  const gateway = stack.use(new ChaosGateway(home, clock.environment));
  const startedAt = new Date().toISOString();
  const started = await waitFor(gateway, (status) => whatIsMissing(status, keys), startDeadlineMs);
  if (started.missing.length > 0) throw new Error(`It did not even start: ${started.missing.join("; ")}`);
  const before = await quietHoldings(gateway);
  say(`all ${keys.length} adapters run`);

  const traffic = new Traffic(gateway, platforms);
  const world: World = { gateway, platforms, traffic, clock, hasSmallDisk: noMount === null };
  const faults = await happen(world, options);
  const converged = await waitFor(gateway, (status) => whatIsMissing(status, keys), convergeDeadlineMs);
  say(converged.missing.length === 0 ? `converged after ${converged.afterMs} ms` : converged.missing.join("; "));
  await traffic.stop();
  const settled = await waitFor(
    gateway,
    (status) => {
      const missing = [...unsettled(status), ...unheard(gateway, traffic)];
      // Read from the disk, and so at last.
      return missing.length > 0 ? missing : unsent(gateway);
    },
    settleDeadlineMs,
  );
  say(settled.missing.length === 0 ? `settled after ${settled.afterMs} ms` : settled.missing.slice(0, 10).join("; "));
  const after = await quietHoldings(gateway).catch((reason: unknown) => reason as Error);
  const restartsByReason = sumOfRestarts(settled.status);
  await gateway.end();
  const ledger = ledgerOf(
    world,
    faults.map(({ fault }) => fault),
  );
  const { counts, violations } = judge(ledger);
  const leftovers = processesOf(home.dir).map(({ pid, command }) => `left over: process ${pid}, ${command}`);
  return {
    seed,
    minutes,
    startedAt,
    machine: `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown kind"}, Node ${process.version}`,
    skipped,
    faults,
    lives: gateway.lives,
    convergedAfterMs: converged.missing.length === 0 ? converged.afterMs : null,
    settledAfterMs: settled.missing.length === 0 ? settled.afterMs : null,
    counts,
    restartsByReason,
    before,
    after: after instanceof Error ? null : after,
    notes: [
      ...(noMount === null ? [] : [`no disk was filled, SQLite was told that it is full: ${noMount}`]),
      ...traffic.troubles,
    ],
    violations: [
      ...(isComplete ? skipped.map((reason) => `left out: ${reason}`) : []),
      ...wrongEnds(gateway.ends),
      ...violations,
      ...converged.missing.map((what) => `not converged: ${what}`),
      ...settled.missing.map((what) => `not settled: ${what}`),
      ...(after instanceof Error ? [`no look at the end: ${after.message}`] : leaksBetween(before, after)),
      ...leftovers,
      ...undoneFaults(faults),
      ...(await openSockets(platforms)),
    ],
  };
}

/** Everything planned, each at its time. Resolves when the last is lifted. */
async function happen(world: World, { seed, minutes, say }: ChaosOptions): Promise<readonly FaultOutcome[]> {
  const traits = world.platforms.map(({ key, emulated }) => ({ key, ...emulated.traits }));
  const services = traits.filter(({ isPull }) => !isPull);
  const planned = schedule({
    seed,
    durationMs: minutes * 60_000,
    services: services.map(({ key }) => key),
    connections: services.filter(({ keepsConnection }) => keepsConnection).map(({ key }) => key),
    platforms: traits.map(({ key }) => key),
    redelivering: traits.filter(({ acknowledges }) => acknowledges).map(({ key }) => key),
    can: { moveClock: whyNoClock() === null },
  });
  const beganAtMs = performance.now();
  const outcomes = planned.map(async (fault): Promise<FaultOutcome> => {
    await sleep(Math.max(0, fault.atMs - (performance.now() - beganAtMs)));
    say(`${(fault.atMs / 1000).toFixed(1)} s: ${describeFault(fault)}`);
    try {
      await inject(fault, world);
      return { fault, trouble: null };
    } catch (reason) {
      return { fault, trouble: reason instanceof Error ? reason.message : String(reason) };
    }
  });
  return Promise.all(outcomes);
}

type Waited = { readonly missing: readonly string[]; readonly afterMs: number; readonly status: GatewayStatus | null };

/** Looks until nothing is missing, or until the deadline. */
async function waitFor(
  gateway: ChaosGateway,
  look: (status: GatewayStatus) => readonly string[],
  deadlineMs: number,
): Promise<Waited> {
  const beganAtMs = performance.now();
  const over = AbortSignal.timeout(deadlineMs);
  let missing: readonly string[] = ["no status could be had"];
  let status: GatewayStatus | null = null;
  while (!over.aborted) {
    try {
      status = await gateway.status(over);
      missing = look(status);
      if (missing.length === 0) break;
      await sleep(lookPeriodMs, over);
    } catch {
      // The time is over.
    }
  }
  return { missing, afterMs: Math.round(performance.now() - beganAtMs), status };
}

function unsettled({ adapters, consumers }: GatewayStatus): string[] {
  return [
    ...adapters.flatMap(({ key, queue }) =>
      queue.pending + queue.leased > 0 ? [`${key} has ${queue.pending + queue.leased} messages undelivered`] : [],
    ),
    ...consumers.flatMap(({ name, inFlight }) => (inFlight > 0 ? [`${name} has ${inFlight} in flight`] : [])),
  ];
}

function unheard(gateway: ChaosGateway, traffic: Traffic): string[] {
  const heard = new Set(gateway.heard.map(({ text }) => text));
  return traffic.said
    .filter(({ isPromised, text }) => isPromised && !heard.has(text))
    .map(({ text }) => `${text} is not heard`);
}

function unsent(gateway: ChaosGateway): string[] {
  try {
    const open = countOpenSends(gateway.journalPath);
    return open > 0 ? [`${open} sends are not over`] : [];
  } catch (reason) {
    return [`the journal is being written: ${String(reason)}`];
  }
}

async function quietHoldings(gateway: ChaosGateway): Promise<Holdings> {
  return holdingsOf(gateway, await gateway.status(AbortSignal.timeout(startDeadlineMs)));
}

function ledgerOf({ gateway, platforms, traffic }: World, faults: readonly Fault[]): Ledger {
  const { heard } = gateway;
  const fromPlatforms = heard.filter(({ adapter }) => adapter !== faultKey);
  return {
    said: traffic.said,
    heard: fromPlatforms.map((call) => ({ ...call, text: nameOf(call) })),
    checkpoints: gateway.checkpoints.map(({ acked, calls }) => ({
      acked,
      calls: heard.slice(0, calls).filter(({ adapter }) => adapter !== faultKey).length,
    })),
    accepted: traffic.accepted,
    ...leftBehind(gateway.journalPath, { platforms, heard: fromPlatforms }),
    excuses: Object.fromEntries(
      platforms.map(({ key, emulated }) => [key, excusesOf(faults, key, emulated.faultsMet("send"))]),
    ),
    shown: platforms.flatMap(({ key, emulated }) =>
      emulated.shown.filter(({ kind }) => kind === "message").map(({ text }) => ({ platform: key, text })),
    ),
  };
}

/** What was said in the run has a text of its own; nonsense that a platform cannot tell from a message may say the same twice. */
function nameOf({ id, text }: HeardCall): string {
  return isNumbered(text) ? text : `${text} (${id})`;
}

function sumOfRestarts(status: GatewayStatus | null): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { restartsByReason } of status?.adapters ?? [])
    for (const [reason, count] of Object.entries(restartsByReason)) sum[reason] = (sum[reason] ?? 0) + (count ?? 0);
  return sum;
}

/** The gateway is gone: so are its sockets at the services that it called. */
async function openSockets(platforms: readonly ChaosPlatform[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { key, emulated } of platforms) {
    await Promise.race([emulated.allSocketsClosed(), sleep(2_000)]);
    if (!emulated.traits.isPull && emulated.openSockets > 0)
      left.push(`left over: ${emulated.openSockets} sockets at ${key}`);
  }
  return left;
}
