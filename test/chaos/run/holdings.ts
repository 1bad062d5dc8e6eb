/** What the coordinator holds on to: what must be the same after all faults as before them. */
import { readdirSync, readlinkSync } from "node:fs";
import type { GatewayStatus } from "../../../src/contract/status.ts";
import { processesOf, rssBytesOf } from "../../support/processes-of.ts";
import type { ChaosGateway } from "./chaos-gateway.ts";
import { resourcesPrefix } from "./debug-hooks.ts";

/** Counts of one moment at which nothing happens. */
export type Holdings = {
  readonly rssBytes: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly timers: number;
  readonly hosts: number;
  /** Processes that are in no status. */
  readonly strays: number;
};

/** What two quiet moments may differ by: a connection of our own, a timer that is just due. */
const allowance = { threads: 0, descriptors: 3, sockets: 3, timers: 3, strays: 0 } as const;
/** A quarantined adapter has a host more, with its socket, its pipes and a timer or two. */
const perHost = { threads: 0, descriptors: 5, sockets: 5, timers: 3, strays: 0 } as const;

/** Costs the journal its thread, which is back at once. */
export async function holdingsOf(gateway: ChaosGateway, status: GatewayStatus): Promise<Holdings> {
  const { pid, noise } = gateway.process;
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return [];
    }
  });
  const listed = new Set([pid, ...status.hosts.map((host) => host.pid)]);
  const running = processesOf(gateway.home.dir).filter(({ isZombie }) => !isZombie);
  const counted = {
    rssBytes: rssBytesOf(pid),
    threads: readdirSync(`/proc/${pid}/task`).length,
    descriptors: links.length,
    sockets: links.filter((link) => link.startsWith("socket:")).length,
    hosts: status.hosts.length,
    strays: running.filter((each) => !listed.has(each.pid)).length,
  };
  const before = noise.length;
  process.kill(pid, "SIGUSR2");
  await gateway.call("GET", "/v1/status", { signal: AbortSignal.timeout(10_000) });
  const line = noise.slice(before).find((each) => each.startsWith(resourcesPrefix));
  const resources = JSON.parse(line?.slice(resourcesPrefix.length) ?? "{}") as Readonly<Record<string, number>>;
  return { ...counted, timers: resources["Timeout"] ?? 0 };
}

/** What has become more than it may, in words. */
export function leaksBetween(before: Holdings, after: Holdings): readonly string[] {
  const moreHosts = Math.max(0, after.hosts - before.hosts);
  return (Object.keys(allowance) as (keyof typeof allowance)[])
    .filter((name) => after[name] > before[name] + allowance[name] + moreHosts * perHost[name])
    .map((name) => `leaked: ${name} were ${before[name]} and are ${after[name]}`);
}
