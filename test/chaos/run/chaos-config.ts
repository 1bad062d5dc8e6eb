/** The config of a run, in the variants that are saved while it goes on. */
import { faultAdapterPath } from "../../support/gateway-fixture.ts";
import type { ChaosPlatform } from "./chaos-platforms.ts";
import type { SavedConfig } from "./fault.ts";

/** The runtime key of the adapter that does each fault to itself. */
export const faultKey = "fault";
/** Beside the config; referred to by the fault adapter. */
export const secretFile = "secret.txt";

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

/** `variant` null: as it is by default. `turn` makes each saved variant another. */
export function chaosConfig(
  platforms: readonly ChaosPlatform[],
  variant: SavedConfig | null = null,
  turn: number = 0,
): string {
  if (variant === "nonsense") return `[messaging\nthis is = = no TOML ${turn}\n`;
  const tables = platforms.map(({ key, emulated }) => {
    const extra =
      key !== "webchat"
        ? ""
        : variant === "settings"
          ? `title = "Chat ${turn}"\n`
          : variant === "error"
            ? "title = 17\n"
            : "";
    const policy = key === "webhook" && variant === "policy" ? `max_body_bytes = ${1_000_000 + turn}\n` : "";
    return `[messaging.${key}]\n${emulated.toml}\n${extra}${policy}`;
  });
  const fault =
    variant === "removal"
      ? ""
      : `[messaging.${faultKey}]\nmodule = "${faultAdapterPath}"\n[messaging.${faultKey}.settings]\ntoken = "file:${secretFile}"\n`;
  return (
    `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\nconcurrency = 16\nmax_attempts = 100\n${retryKeys}` +
    `${tables.join("")}${fault}`
  );
}
