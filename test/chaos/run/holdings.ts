/** Looks at what the coordinator, the shared host and the services hold at a quiet moment. */
import { readdirSync, readlinkSync } from "node:fs";
import type { GatewayStatus } from "../../../src/contract/status.ts";
import { sleep } from "../../../src/support/time.ts";
import { processesOf, rssBytesOf } from "../../support/processes-of.ts";
import type { ChaosGateway } from "./chaos-gateway.ts";
import type { ChaosPlatform } from "./chaos-platforms.ts";
import { resourcesPrefix } from "./debug-hooks.ts";
import type { Holdings, HostHoldings, Look, ServiceHoldings } from "./looks.ts";

const lineDeadlineMs = 10_000;
const linePeriodMs = 20;

/** @throws {Error} when the coordinator does not say what it holds. */
export async function lookAt(
  run: { readonly gateway: ChaosGateway; readonly platforms: readonly ChaosPlatform[] },
  moment: { readonly status: GatewayStatus; readonly atMs: number },
): Promise<Look> {
  const { gateway, platforms } = run;
  const { status, atMs } = moment;
  // First: the moment was quiet just now.
  const services = serviceHoldings(platforms);
  return {
    life: gateway.lives,
    atMs,
    coordinator: await coordinatorHoldings(gateway, status),
    host: hostHoldings(status),
    services,
  };
}

/** What each service sees of us now. */
export function serviceHoldings(platforms: readonly ChaosPlatform[]): Look["services"] {
  return Object.fromEntries(
    platforms
      .filter(({ emulated }) => !emulated.traits.isPull)
      .map(({ key, emulated }): [string, ServiceHoldings] => {
        return [key, { live: emulated.connections.live, openSockets: emulated.openSockets }];
      }),
  );
}

async function coordinatorHoldings(gateway: ChaosGateway, status: GatewayStatus): Promise<Holdings> {
  const { pid } = gateway.process;
  const links = descriptorsOf(pid);
  const listed = new Set([pid, ...status.hosts.map((host) => host.pid)]);
  const running = processesOf(gateway.home.dir).filter(({ isZombie }) => !isZombie);
  return {
    rssBytes: rssBytesOf(pid),
    threads: threadsOf(pid),
    descriptors: links.length,
    sockets: links.filter((link) => link.startsWith("socket:")).length,
    hosts: status.hosts.length,
    strays: running.filter((each) => !listed.has(each.pid)).length,
    timers: await timersOf(gateway),
  };
}

function hostHoldings({ hosts }: GatewayStatus): HostHoldings {
  const shared = hosts.filter(({ kind }) => kind === "shared");
  const [largest] = shared.toSorted((one, other) => other.keys.length - one.keys.length);
  if (largest === undefined) throw new Error("There is no shared host");
  const { pid, keys } = largest;
  return { pid, keys, threads: threadsOf(pid), descriptors: descriptorsOf(pid).length };
}

/** As the process itself counts them: a line that does not come is no count of 0. */
async function timersOf(gateway: ChaosGateway): Promise<number> {
  const { noise, pid } = gateway.process;
  const before = noise.length;
  process.kill(pid, "SIGWINCH");
  const over = AbortSignal.timeout(lineDeadlineMs);
  for (;;) {
    const line = noise.slice(before).find((each) => each.startsWith(resourcesPrefix));
    if (line !== undefined) {
      const resources = JSON.parse(line.slice(resourcesPrefix.length)) as Readonly<Record<string, number>>;
      return resources["Timeout"] ?? 0;
    }
    await sleep(linePeriodMs, over);
  }
}

function threadsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length;
}

function descriptorsOf(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      // Closed while we looked.
      return [];
    }
  });
}
