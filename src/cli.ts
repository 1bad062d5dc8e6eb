/** The `bulkhead` command: a thin client of the admin API, plus what works without a gateway. Loading this file runs it. */
import { AdminClient } from "./admin-client.ts";
import { readAdminAddress } from "./admin/address-file.ts";
import { readAdminToken } from "./admin/token.ts";
import type { ConfigSource } from "./cli/context.ts";
import { locateGateway } from "./cli/locate-gateway.ts";
import { runProgram, type ProgramEntries } from "./cli/program.ts";
import { parseListenAddress } from "./config/listen-address.ts";
import type { Config, LoadResult } from "./contract/config.ts";
import { platforms } from "./contract/spec.ts";
import type { PlanAction } from "./contract/control.ts";
import { version } from "./gateway/version.ts";
import { buildDesiredState } from "./reconcile/desired.ts";
import { nothingObserved, plan } from "./reconcile/plan.ts";

const entries: ProgramEntries = {
  version,
  async start(configPath) {
    const { runGateway } = await import("./main.ts");
    return runGateway({ configPath });
  },
  async schema() {
    const { configJsonSchema } = await import("./config/json-schema.ts");
    return configJsonSchema();
  },
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  context: ({ source, json }) => ({
    json,
    source,
    print: (line) => entries.print(`${line}\n`),
    complain: (line) => entries.complain(`${line}\n`),
    load,
    planFromNothing,
    async connect() {
      const parseListen = parseListenAddress;
      const files = { readToken: readAdminToken, readAddress: readAdminAddress };
      return new AdminClient(await locateGateway({ source, load, parseListen, ...files }));
    },
  }),
};

async function load(source: ConfigSource): Promise<LoadResult> {
  const { loadConfig } = await import("./config/load.ts");
  return loadConfig({ source, environment: process.env });
}

function planFromNothing(config: Config): readonly PlanAction[] {
  // Nothing is started here: neither the key nor where a module is can change what a plan against nothing says.
  const adapterModules = Object.fromEntries(platforms.map((platform) => [platform, `builtin:${platform}`]));
  const desired = buildDesiredState(config, { fingerprintKey: new Uint8Array(32), adapterModules });
  return plan(desired, nothingObserved).map(({ key, action, reason, fields }) => ({ key, action, reason, fields }));
}

// `bulkhead tail | head`: whoever read has what it wanted.
process.stdout.on("error", (reason: NodeJS.ErrnoException) => process.exit(reason.code === "EPIPE" ? 0 : 1));
void main();

/** Without top-level await: launch.cjs requires this file, and a module that waits cannot be required. */
async function main(): Promise<void> {
  process.exitCode = await runProgram(process.argv.slice(2), entries);
}
