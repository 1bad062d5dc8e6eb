/** The tables of the config that are neither adapters, consumers nor bindings. */
import { z } from "zod";
import { logLevels } from "../support/logger.ts";
import { parseByteSize } from "./byte-size.ts";
import { parseListenAddress } from "./listen-address.ts";
import { integer, milliseconds, optionalText, text } from "./schema-parts.ts";
import { supervisorSchema } from "./supervisor-schema.ts";

/** Top-level tables of other programs' configs that are passed over with a warning. */
export const ignoredTables: ReadonlySet<string> = new Set([
  "llm",
  "defaults",
  "agents",
  "links",
  "groups",
  "humans",
  "api",
  "metrics",
  "telemetry",
  "memory_janitor",
  "autonomy",
]);

const smallestJournalBytes = 65_536;

const byteSize = z
  .union([z.string(), z.int()], { error: 'a size such as "2GiB" or a number of bytes' })
  .transform((size, context): number => {
    const bytes = typeof size === "number" ? size : parseByteSize(size);
    if (bytes !== null && bytes >= smallestJournalBytes) return bytes;
    const found = bytes === null ? "a string" : bytes;
    const message = `found ${found}, expected a size such as "2GiB" of at least ${smallestJournalBytes} bytes`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

const listen = z.string().superRefine((address, context) => {
  if (parseListenAddress(address, "/") !== null) return;
  const message = 'found a string, expected an address such as "127.0.0.1:8787", "[::1]:8787" or "unix:/path"';
  context.addIssue({ code: "custom", message });
});

/** One schema per table. */
export const topLevelShape = {
  gateway: z
    .strictObject({
      state_dir: text("state directory, relative to this file").default("./data"),
      log_level: z.enum(logLevels).default("info"),
      shutdown_timeout_ms: milliseconds(1, 15_000),
      default_consumer: optionalText("consumer of what no binding matches; empty: the first one"),
      restart_on_leaked_thread: z
        .enum(["never", "idle"])
        .default("never")
        .describe("idle: with hosts.mode inline, end at a quiet moment once a thread cannot be ended"),
      keep_raw: z.boolean().default(false).describe("keep the platform's own payload beside each message"),
    })
    .prefault({}),
  supervisor: supervisorSchema,
  hosts: z
    .strictObject({
      mode: z.enum(["process", "inline"]).default("process"),
      max_adapters: integer(1, 10_000).default(100).describe("adapters in the shared host"),
      memory_limit_mb: integer(64, 1_048_576).default(2048).describe("resident memory of one host"),
      permissions: z.boolean().default(true).describe("Node's permission model on adapter hosts"),
    })
    .prefault({}),
  journal: z
    .strictObject({
      durability: z.enum(["full", "normal", "memory"]).default("full"),
      group_commit_ms: integer(0, 1000).default(0).describe("extra time to gather a group"),
      retain_hours: integer(0, 87_600).default(24),
      max_bytes: byteSize.prefault("2GiB"),
    })
    .prefault({}),
  secrets: z.strictObject({ dir: optionalText("folder of secret:NAME files, relative to this file") }).prefault({}),
  admin: z.strictObject({ listen: listen.default("127.0.0.1:8787") }).prefault({}),
} as const;

/** {@link topLevelShape} as read. */
export type TopLevel = { readonly [Name in keyof typeof topLevelShape]: z.output<(typeof topLevelShape)[Name]> };
