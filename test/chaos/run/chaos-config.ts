/** The config of a run, in the variants that are saved while it goes on. */
import type { ChaosPlatform } from "./chaos-platforms.ts";
import type { SavedConfig } from "./fault.ts";

/** The runtime key of the adapter that does each fault to itself. */
export const faultKey = "fault";

/** Retries that come soon: a run must converge in seconds. Printed in the report. */
export const retryKeys = `[supervisor]
start_timeout_ms = 10000
stop_timeout_ms = 2000
kill_timeout_ms = 1000
hang_after_ms = 5000
backoff_min_ms = 100
backoff_max_ms = 1000
slow_retry_ms = 1000
attention_retry_ms = 2000
`;

/** A secret of a platform's that it checks, or (Twitch's) that replaces its adapter all the same: a token is renewed there. */
const secretKeys: Readonly<Record<string, string>> = {
  discord: "token",
  slack: "bot_token",
  telegram: "token",
  twitch: "client_secret",
  email: "imap_password",
};

/** A saved variant: what is other than by default, at which platform; `turn` makes each save another. */
export type Variant = { readonly what: SavedConfig; readonly platform: string; readonly turn: number };

/** The file with the secret of `key`, beside the config. */
export function secretFile(key: string): string {
  return `secret-${key}.txt`;
}

/**
 * The right secret of each platform that has one in a file.
 * @throws {Error} where a platform's table has none: then nothing of it would ever rotate.
 */
export function secretsOf(platforms: readonly ChaosPlatform[]): ReadonlyMap<string, string> {
  return new Map(
    platforms.flatMap(({ key, emulated }): [string, string][] => {
      const line = secretLine(key);
      if (line === null) return [];
      const value = line.exec(emulated.toml)?.[1];
      if (value === undefined) throw new Error(`There is no secret in the table of ${key}`);
      return [[key, value]];
    }),
  );
}

/** `faultModule`: the path of the fault adapter. `variant` null: as it is by default. */
export function chaosConfig(
  run: { readonly platforms: readonly ChaosPlatform[]; readonly faultModule: string },
  variant: Variant | null = null,
): string {
  if (variant?.what === "nonsense") return `[messaging\nthis is = = no TOML ${variant.turn}\n`;
  const tables = run.platforms.map(
    ({ key, emulated }) =>
      `[messaging.${key}]\n${change(withSecretInFile(key, emulated.toml), variant?.platform === key ? variant : null)}\n`,
  );
  const fault =
    variant?.what === "removal"
      ? ""
      : `[messaging.${faultKey}]\nmodule = "${run.faultModule}"\n` +
        `[messaging.${faultKey}.settings]\ntoken = "file:${secretFile(faultKey)}"\n`;
  return (
    `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\nconcurrency = 16\nmax_attempts = 100\n${retryKeys}` +
    `${tables.join("")}${fault}`
  );
}

/** A table with something in it that replaces the adapter, swaps its policy, or is wrong. */
function change(toml: string, variant: Variant | null): string {
  switch (variant?.what) {
    case "settings":
      return `${toml}\n[messaging.${variant.platform}.supervisor]\nstable_after_ms = ${400_000 + variant.turn}`;
    case "policy":
      // Nobody is kept out; where there is no such list the largest body is another.
      return toml.includes('dm_allowed_users = ["*"]')
        ? toml.replace('["*"]', `["*", "user-${variant.turn}"]`)
        : `${toml.replace(/^max_body_bytes = .*$/mu, "")}\nmax_body_bytes = ${1_000_000 + variant.turn}`;
    case "error":
      return `${toml}\nno_such_key = ${variant.turn}`;
    case "nonsense":
    case "removal":
    case undefined:
      return toml;
  }
}

function withSecretInFile(key: string, toml: string): string {
  const line = secretLine(key);
  return line === null ? toml : toml.replace(line, `${secretKeys[key]} = "file:${secretFile(key)}"`);
}

function secretLine(key: string): RegExp | null {
  const name = secretKeys[key];
  return name === undefined ? null : new RegExp(`^${name} = "(.*)"$`, "mu");
}
