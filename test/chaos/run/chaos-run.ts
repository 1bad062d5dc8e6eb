/** One run: everything is started, goes wrong as planned, comes to rest, is ended, and is judged. */
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import type { GatewayStatus } from "../../../src/contract/status.ts";
import { GatewayHome } from "../../support/gateway-fixture.ts";
import { processesOf } from "../../support/processes-of.ts";
import { SmallDisk, whyNoMount } from "../../support/small-disk.ts";
import { chaosConfig, faultKey, secretFile, secretsOf } from "./chaos-config.ts";
import { ChaosGateway, handler, isNumbered, type HeardCall } from "./chaos-gateway.ts";
import { startPlatforms, whyNoEmail } from "./chaos-platforms.ts";
import { whatIsMissing } from "./convergence.ts";
import type { Fault } from "./fault.ts";
import { installFaultModule } from "./fault-module.ts";
import { undoneFaults } from "./fault-outcomes.ts";
import { happen, lookWhenQuiet } from "./happenings.ts";
import type { World } from "./inject.ts";
import { judge, type Ledger } from "./ledger.ts";
import { wrongEnds } from "./life-ends.ts";
import { leaks } from "./looks.ts";
import type { ChaosReport } from "./report.ts";
import { excusesOf } from "./send-excuses.ts";
import { undelivered, unheard, unsent, waitFor } from "./settling.ts";
import { leftBehind } from "./left-behind.ts";
import { Traffic } from "./traffic.ts";
import { WallClock, whyNoClock } from "./wall-clock.ts";

const diskMegabytes = 768;
const startDeadlineMs = 60_000;
/** After the last fault. */
const convergeDeadlineMs = 10_000;
/** After the last word: what is on its way, retries of sends, a platform's own redelivery. */
const settleDeadlineMs = 90_000;

/** What a run is. `say` is told how it goes. */
export type ChaosOptions = {
  readonly seed: number;
  readonly minutes: number;
  /** What this machine lacks is a violation, not left out. */
  readonly isComplete: boolean;
  readonly say: (line: string) => void;
};

/** Runs it. Never rejects for what a gateway does: that is in the report. */
export async function runChaos({ seed, minutes, isComplete, say }: ChaosOptions): Promise<ChaosReport> {
  await using stack = new AsyncDisposableStack();
  const [noMount, noClock] = [whyNoMount(), whyNoClock()];
  const skipped = [noClock, whyNoEmail()].flatMap((reason) => reason ?? []);
  const home = new GatewayHome();
  if (noMount === null) stack.use(new SmallDisk(join(home.dir, "data"), diskMegabytes));
  const clock = new WallClock(home.dir);
  const platforms = await startPlatforms(stack);
  const keys = [...platforms.map(({ key }) => key), faultKey];
  home.writeFile("handler.mjs", handler);
  for (const [key, secret] of [...secretsOf(platforms), [faultKey, "the first secret"] as const])
    home.writeFile(secretFile(key), `${secret}\n`);
  const faultModule = installFaultModule(home);
  home.writeConfig(chaosConfig({ platforms, faultModule: faultModule.path }));
  const gateway = stack.use(new ChaosGateway(home, clock.environment));
  const startedAt = new Date().toISOString();
  const started = await waitFor(gateway, (status) => whatIsMissing(status, keys), startDeadlineMs);
  if (started.missing.length > 0) throw new Error(`It did not even start: ${started.missing.join("; ")}`);
  say(`all ${keys.length} adapters run`);

  const traffic = new Traffic(gateway, platforms);
  const world: World = { gateway, platforms, traffic, clock, faultModule, hasSmallDisk: noMount === null };
  const first = await lookWhenQuiet(world, { keys, held: null }, 0);
  if (typeof first === "string") throw new Error(`It did not come to rest before the run: ${first}`);
  const { faults, looks, restless } = await happen(world, { seed, minutes, keys, held: first.services, say });
  const converged = await waitFor(gateway, (status) => whatIsMissing(status, keys), convergeDeadlineMs);
  say(converged.missing.length === 0 ? `converged after ${converged.afterMs} ms` : converged.missing.join("; "));
  await traffic.stop();
  const settled = await waitFor(
    gateway,
    (status) => {
      const missing = [...undelivered(status), ...unheard(gateway, traffic)];
      // Read from the disk, and so at last.
      return missing.length > 0 ? missing : unsent(gateway);
    },
    settleDeadlineMs,
  );
  say(settled.missing.length === 0 ? `settled after ${settled.afterMs} ms` : settled.missing.slice(0, 10).join("; "));
  const last = await lookWhenQuiet(world, { keys, held: first.services }, minutes * 60_000);
  const seen = [first, ...looks, last].filter((look) => typeof look !== "string");
  const restartsByReason = sumOfRestarts(settled.status);
  await gateway.end();
  const ledger = ledgerOf(
    world,
    faults.map((outcome) => outcome.fault),
  );
  const { counts, violations } = judge(ledger);
  const leftovers = processesOf(home.dir).map(({ pid, command }) => `left over: process ${pid}, ${command}`);
  return {
    seed,
    minutes,
    startedAt,
    machine: `${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown kind"}, Node ${process.version}`,
    load: loadavg().map((each) => each.toFixed(1)),
    skipped,
    faults,
    lives: gateway.lives,
    convergedAfterMs: converged.missing.length === 0 ? converged.afterMs : null,
    settledAfterMs: settled.missing.length === 0 ? settled.afterMs : null,
    counts,
    restartsByReason,
    looks: seen,
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
      ...restless,
      ...(typeof last === "string" ? [last] : []),
      ...leaks(seen),
      ...leftovers,
      ...undoneFaults(faults),
    ],
  };
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
      // What is in a mailbox is never in doubt.
      platforms
        .filter(({ emulated }) => !emulated.traits.isPull)
        .map(({ key, emulated }) => [key, excusesOf(faults, key, emulated.faultsMet("send"))]),
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
