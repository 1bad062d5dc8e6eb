/** `[supervisor]`, and the part of it that one `[messaging.x.supervisor]` overrides. */
import { z } from "zod";
import { isolations } from "../contract/status.ts";
import type { SupervisorSettings } from "../contract/spec.ts";
import { camelKeys } from "./camel-keys.ts";
import { joinPath, type Issue } from "./issue.ts";
import { isTable } from "./plain-value.ts";
import { integer, milliseconds } from "./schema-parts.ts";

const shape = {
  start_timeout_ms: milliseconds(1, 30_000),
  stop_timeout_ms: milliseconds(1, 5_000),
  kill_timeout_ms: milliseconds(1, 5_000),
  hang_after_ms: milliseconds(1, 10_000),
  backoff_min_ms: milliseconds(1, 1_000),
  backoff_max_ms: milliseconds(1, 60_000),
  stable_after_ms: milliseconds(1, 300_000),
  slow_retry_failures: integer(1, 1_000_000).default(5),
  slow_retry_window_ms: milliseconds(1, 600_000),
  slow_retry_ms: milliseconds(1, 300_000),
  attention_retry_ms: milliseconds(1, 900_000),
  memory_limit_mb: integer(16, 65_536).default(256),
  isolation: z.enum(isolations).default("auto"),
  standby: z.boolean().default(false),
  max_age_ms: integer(0, Number.MAX_SAFE_INTEGER).default(0).describe("recycle a generation after this; 0: never"),
} as const;

/** `[supervisor]`. */
export const supervisorSchema = z.strictObject(shape).prefault({});

/** `[messaging.x.supervisor]`: what is left out is `[supervisor]`'s. */
export const supervisorOverrideSchema = z
  .strictObject(Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, field.unwrap().optional()])))
  .default({})
  .describe("overrides of [supervisor] for this adapter");

/** `base` with what `overrides` (a parsed {@link supervisorOverrideSchema}, or nothing) names, and what is wrong with the two together. */
export function overrideSupervisor(
  base: SupervisorSettings,
  overrides: unknown,
  path: string,
): { readonly settings: SupervisorSettings; readonly issues: readonly Issue[] } {
  if (!isTable(overrides) || Object.keys(overrides).length === 0) return { settings: base, issues: [] };
  const settings = { ...base, ...camelKeys(overrides) };
  return { settings, issues: supervisorIssues(settings, path) };
}

/** What no single field can see: the least backoff is above the greatest. */
export function supervisorIssues(settings: SupervisorSettings, path: string): readonly Issue[] {
  if (settings.backoffMinMs <= settings.backoffMaxMs) return [];
  const message = `found ${settings.backoffMinMs}, expected at most backoff_max_ms, which is ${settings.backoffMaxMs}`;
  return [{ path: joinPath(path, "backoff_min_ms"), message }];
}
