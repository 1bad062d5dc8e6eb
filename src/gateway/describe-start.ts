/** What a person wants to know first: where to point a browser and curl. */
import type { Config } from "../contract/config.ts";

/** The addresses as text for a terminal and as fields for a log. */
export function describeStart(
  config: Config,
  adminAddress: string,
): { readonly human: string; readonly fields: Readonly<Record<string, unknown>> } {
  const addresses = Object.fromEntries(
    config.adapters.flatMap(({ key, listensAt }): [string, string][] => {
      if (listensAt === undefined) return [];
      const { host, port } = listensAt;
      return [[key, `http://${host.includes(":") ? `[${host}]` : host}:${port}`]];
    }),
  );
  const lines = Object.entries({ ...addresses, admin: adminAddress }).map(
    ([name, address]) => `  ${name.padEnd(12)} ${address}`,
  );
  return {
    human: ["Bulkhead is running.", ...lines, `  state in     ${config.gateway.stateDir}`, "Ctrl-C stops it."].join(
      "\n",
    ),
    fields: { addresses, admin: adminAddress, stateDir: config.gateway.stateDir, pid: process.pid },
  };
}
