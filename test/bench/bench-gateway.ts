/** Gateways as they are installed: compiled, in processes of their own. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AdapterStatus, GatewayStatus } from "../../src/contract/status.ts";
import { faultAdapterPath, GatewayHome, RunningGateway } from "../support/gateway-fixture.ts";

const cliPath = fileURLToPath(new URL("../../dist/src/cli.js", import.meta.url));

/** A gateway's directory that goes when it is disposed. */
export class BenchHome extends GatewayHome implements Disposable {
  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Starts the compiled gateway in `home`; resolves when it is ready. */
export async function startGateway(home: GatewayHome): Promise<RunningGateway> {
  const gateway = spawnGateway(home);
  await gateway.ready;
  return gateway;
}

/** The same without waiting. */
export function spawnGateway(home: GatewayHome): RunningGateway {
  const child = spawn(process.execPath, [cliPath, "--config", home.configPath, "start"], {
    cwd: home.dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new RunningGateway(home, child);
}

/**
 * A TypeScript module of these benchmarks as JavaScript in `home`, with what it imports from beside it: stripping types in a
 * thread costs memory that no user pays.
 */
export function installModule(home: GatewayHome, source: URL): string {
  const name = (source.pathname.split("/").at(-1) ?? "").replace(/\.ts$/u, ".mjs");
  const text = stripTypeScriptTypes(readFileSync(source, "utf8"));
  // In a folder of its own: beside the config each new file would ask for a further host.
  mkdirSync(join(home.dir, "modules"), { recursive: true });
  return home.writeFile(
    join("modules", name),
    text.replaceAll(/(?<=from ")\.\/([\w-]+)\.ts(?=")/gu, (_, neighbour: string) => {
      installModule(home, new URL(`./${neighbour}.ts`, source));
      return `./${neighbour}.mjs`;
    }),
  );
}

/** Resolves when each of `keys` is running, with the status then. */
export async function allRunning(gateway: RunningGateway, keys: readonly string[]): Promise<GatewayStatus> {
  await Promise.all(keys.map((key) => gateway.reached(key, "running")));
  return gateway.status();
}

/** The coordinator and all of its hosts. */
export function pidsOf(status: GatewayStatus): readonly number[] {
  return [status.pid, ...status.hosts.map(({ pid }) => pid)];
}

/** When `key` next enters `state`, by the coordinator's own log: milliseconds since the epoch. */
export async function nextState(gateway: RunningGateway, key: string, state: AdapterStatus["state"]): Promise<number> {
  const line = await gateway.nextLogged(
    (candidate) => candidate.event === "adapter-state" && candidate["key"] === key && candidate["state"] === state,
  );
  return Date.parse(String(line["time"]));
}

/** `count` adapters that do each fault on command: their keys, and their tables as TOML. */
export function faultTables(
  home: GatewayHome,
  count: number,
): { readonly keys: readonly string[]; readonly toml: string } {
  const module = installModule(home, pathToFileURL(faultAdapterPath));
  const keys = Array.from({ length: count }, (_, index) => `fault${index}`);
  return { keys, toml: keys.map((key) => `[messaging.${key}]\nmodule = "${module}"\n`).join("") };
}
