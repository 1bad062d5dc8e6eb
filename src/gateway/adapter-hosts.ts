/** The host processes as the gateway uses them: confined as its config says, with spare threads where they are asked for. */
import { join, resolve } from "node:path";
import type { ConfigSource } from "../config/load.ts";
import type { Config } from "../contract/config.ts";
import type { Hosts } from "../contract/host.ts";
import type { AdapterSpec } from "../contract/spec.ts";
import { HostGrants } from "../host/host-grants.ts";
import type { HostPids } from "../host/host-pids.ts";
import { HostPool, type HostPoolOptions } from "../host/hosts.ts";
import { StandbyHosts, type StandbyOptions } from "../host/standby-hosts.ts";
import { inspectionFolder } from "./inspections.ts";
import type { Logger } from "../support/logger.ts";

/** The adapters that are there, by runtime key. */
export type AdapterSpecs = ReadonlyMap<string, { readonly spec: Pick<AdapterSpec, "moduleUrl"> | null }>;

/** What the hosts are made of. */
export type AdapterHostsParts = {
  /** At the start. */
  readonly config: Config;
  /** In force now. */
  readonly inForce: () => Config;
  readonly source: ConfigSource;
  readonly entries: HostPoolOptions["threadEntries"] & { readonly host: string };
  readonly pids: HostPids;
  readonly specs: () => AdapterSpecs;
  readonly nextGeneration: StandbyOptions["nextGeneration"];
  readonly logger: Logger;
};

/** See the file's head. */
export function createAdapterHosts(parts: AdapterHostsParts): Hosts {
  const { config, entries, logger, pids, specs, nextGeneration } = parts;
  const grants = config.hosts.mode === "process" && config.hosts.permissions ? createGrants(parts) : null;
  const pool = new HostPool({
    ...config.hosts,
    hostEntryUrl: entries.host,
    threadEntries: entries,
    pids,
    grants,
    moduleUrls: () => [...specs().values()].flatMap(({ spec }) => spec?.moduleUrl ?? []),
    logger,
  });
  return new StandbyHosts({ hosts: pool, nextGeneration, logger });
}

/** `null`, and said once, where this Node would confine a host away from the network too. */
function createGrants({ config, inForce, source, entries, logger }: AdapterHostsParts): HostGrants | null {
  if (!HostGrants.isSupported) {
    logger.warn("permissions-unsupported", { node: process.version });
    return null;
  }
  const { stateDir } = config.gateway;
  const configPaths = source.kind === "file" ? [resolve(source.path)] : [];
  return new HostGrants({
    hostEntryUrl: entries.host,
    privatePaths: () => [...configPaths, stateDir, ...inForce().secretPaths],
    writablePaths: [join(stateDir, "attachments"), join(stateDir, inspectionFolder)],
    workingDirectory: join(stateDir, "empty"),
  });
}
