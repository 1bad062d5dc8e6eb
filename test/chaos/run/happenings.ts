/** The faults of a run and the looks between them, each at its time. */
import { sleep } from "../../../src/support/time.ts";
import { calmMs, lookTimes } from "./calm.ts";
import { faultKey, secretsOf } from "./chaos-config.ts";
import { whatIsMissing } from "./convergence.ts";
import { describeFault, type PlannedFault } from "./fault.ts";
import type { FaultOutcome } from "./fault-outcomes.ts";
import { lookAt, serviceHoldings } from "./holdings.ts";
import { inject, type World } from "./inject.ts";
import { wrongConnections, type Look } from "./looks.ts";
import { schedule } from "./schedule.ts";
import { undelivered, waitFor } from "./settling.ts";
import { whyNoClock } from "./wall-clock.ts";

/** Before a look: what is not at rest by then will not be. */
const restDeadlineMs = 30_000;

/** What came of all of it. `restless`: why there was no look, in words. */
export type Happened = {
  readonly faults: readonly FaultOutcome[];
  readonly looks: readonly Look[];
  readonly restless: readonly string[];
};

/** Everything planned. Resolves when the last fault is lifted. `keys`: of the adapters that run when all is well. */
export async function happen(
  world: World,
  run: {
    readonly seed: number;
    readonly minutes: number;
    readonly keys: readonly string[];
    /** What each service saw of us when everything had just started. */
    readonly held: Look["services"];
    readonly say: (line: string) => void;
  },
): Promise<Happened> {
  const durationMs = run.minutes * 60_000;
  const planned = [
    ...plan(world, run.seed, durationMs).map((fault) => ({ atMs: fault.atMs, fault })),
    ...lookTimes(durationMs).map((atMs) => ({ atMs, fault: null })),
  ].toSorted((one, other) => one.atMs - other.atMs);
  const faults: Promise<FaultOutcome>[] = [];
  const looks: Look[] = [];
  const restless: string[] = [];
  let beganAtMs = performance.now();
  for (const { atMs, fault } of planned) {
    await sleep(Math.max(0, atMs - (performance.now() - beganAtMs)));
    const at = `${(atMs / 1000).toFixed(1)} s`;
    if (fault !== null) {
      run.say(`${at}: ${describeFault(fault)}`);
      faults.push(attempt(fault, world));
      continue;
    }
    // On a busy machine things come to rest later: then all that follows is later too.
    const calmSinceMs = performance.now();
    const look = await lookWhenQuiet(world, run, atMs);
    beganAtMs += Math.max(0, performance.now() - calmSinceMs - calmMs);
    run.say(`${at}: ${typeof look === "string" ? look : "looked at"}`);
    if (typeof look === "string") restless.push(look);
    else looks.push(look);
  }
  return { faults: await Promise.all(faults), looks, restless };
}

/**
 * One look when everything has come to rest; nobody speaks meanwhile. In words: why there was no rest. A half-open connection
 * is noticed late: there is no rest before it is another.
 */
export async function lookWhenQuiet(
  world: World,
  { keys, held }: { readonly keys: readonly string[]; readonly held: Look["services"] | null },
  atMs: number,
): Promise<Look | string> {
  const { gateway, platforms, traffic } = world;
  using _silence = traffic.hold();
  const { missing, status } = await waitFor(
    gateway,
    (now) => [
      ...whatIsMissing(now, keys),
      ...undelivered(now),
      ...(held === null ? [] : wrongConnections(held, serviceHoldings(platforms))),
    ],
    restDeadlineMs,
  );
  try {
    if (missing.length > 0 || status === null) throw new Error(missing.join("; "));
    return await lookAt(world, { status, atMs });
  } catch (reason) {
    return `no rest at ${(atMs / 1000).toFixed(1)} s: ${reason instanceof Error ? reason.message : String(reason)}`;
  }
}

function plan({ platforms }: World, seed: number, durationMs: number): readonly PlannedFault[] {
  const traits = platforms.map(({ key, emulated }) => ({ key, ...emulated.traits }));
  const services = traits.filter(({ isPull }) => !isPull);
  return schedule({
    seed,
    durationMs,
    services: services.map(({ key }) => key),
    connections: services.filter(({ keepsConnection }) => keepsConnection).map(({ key }) => key),
    platforms: traits.map(({ key }) => key),
    secretive: [...secretsOf(platforms).keys(), faultKey],
    redelivering: traits.filter(({ acknowledges }) => acknowledges).map(({ key }) => key),
    can: { moveClock: whyNoClock() === null },
  });
}

async function attempt(fault: PlannedFault, world: World): Promise<FaultOutcome> {
  try {
    await inject(fault, world);
    return { fault, trouble: null };
  } catch (reason) {
    return { fault, trouble: reason instanceof Error ? reason.message : String(reason) };
  }
}
