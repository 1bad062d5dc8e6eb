/** Gateway-level settings: which take effect in a running gateway, and which only when it is started again. */
import type { Config } from "../contract/config.ts";
import { canonicalJson } from "./canonical-json.ts";
import { configKey } from "./config-key.ts";

/** Config keys that differ, such as `hosts.mode`, sorted. */
export type SettingsDiff = {
  /** In force as soon as the config is accepted. */
  readonly live: readonly string[];
  /** Ignored until the gateway is started again. */
  readonly restart: readonly string[];
};

type Effect = keyof SettingsDiff;
type Section = "gateway" | "hosts" | "journal" | "admin";

/** Complete by type: a new setting does not compile until someone has decided. */
const effects: { readonly [S in Section]: Readonly<Record<keyof Config[S], Effect>> } = {
  gateway: {
    stateDir: "restart",
    logLevel: "live",
    shutdownTimeoutMs: "restart",
    defaultConsumer: "live",
    restartOnLeakedThread: "restart",
    keepRaw: "restart",
  },
  hosts: { mode: "restart", maxAdapters: "restart", memoryLimitMb: "restart", permissions: "restart" },
  journal: { durability: "restart", groupCommitMs: "restart", retainHours: "live", maxBytes: "live" },
  admin: { listen: "restart" },
};
const sections = Object.keys(effects) as Section[];

/**
 * What differs between two configs outside of adapters, consumers and bindings. `[supervisor]` is live: its values reach
 * the adapters in their specs.
 */
export function diffSettings(before: Config, after: Config): SettingsDiff {
  const changed: Record<Effect, string[]> = { live: [], restart: [] };
  for (const section of sections) {
    for (const [name, effect] of entriesOf(section))
      if (isChanged(valueAt(before, section, name), valueAt(after, section, name)))
        changed[effect].push(`${section}.${configKey(name)}`);
  }
  for (const [name, value] of Object.entries(before.supervisor))
    if (isChanged(value, { ...after.supervisor }[name])) changed.live.push(`supervisor.${configKey(name)}`);
  if (isChanged(before.notify, after.notify)) changed.live.push("notify");
  return { live: changed.live.sort(), restart: changed.restart.sort() };
}

/** `config` with every setting that needs a restart as the gateway was started with, which is what really holds. */
export function withSettingsInForce(config: Config, started: Config): Config {
  const sectionInForce = <S extends Section>(section: S): Config[S] => {
    const held = entriesOf(section).filter(([, effect]) => effect === "restart");
    return { ...config[section], ...Object.fromEntries(held.map(([name]) => [name, valueAt(started, section, name)])) };
  };
  return {
    ...config,
    gateway: sectionInForce("gateway"),
    hosts: sectionInForce("hosts"),
    journal: sectionInForce("journal"),
    admin: sectionInForce("admin"),
  };
}

function entriesOf(section: Section): [string, Effect][] {
  return Object.entries<Effect>(effects[section]);
}

function valueAt(config: Config, section: Section, name: string): unknown {
  const values: Readonly<Record<string, unknown>> = config[section];
  return values[name];
}

function isChanged(before: unknown, after: unknown): boolean {
  return canonicalJson(before) !== canonicalJson(after);
}
