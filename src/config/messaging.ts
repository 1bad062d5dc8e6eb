/** All of `[messaging]`: every table and instance becomes an adapter, an invalid key, or a disabled one, each by itself. */
import type { AdapterConfig, ListenAddress } from "../contract/config.ts";
import { isPlatform, platforms } from "../contract/spec.ts";
import { readAdapterTable, type ReadContext, type TableOutcome } from "./adapter-table.ts";
import { describeKind, joinPath, type Issue } from "./issue.ts";
import { findListenConflicts, type Listener } from "./listen-points.ts";
import { nearestKey } from "./nearest-key.ts";
import { isTable, type Table } from "./plain-value.ts";
import { platformTables } from "./platform-tables.ts";
import { listRuntimeKeys, type KeyTable } from "./runtime-keys.ts";
import { isThirdParty, platformNameProblem, readThirdPartyTable } from "./third-party-table.ts";

/** `messaging` tables of other programs' configs that are passed over with a warning. */
export const ignoredPlatforms: ReadonlySet<string> = new Set(["signal", "mattermost", "portal"]);

/** A key that is held back. */
type InvalidKey = { readonly key: string; readonly platform: string; readonly issues: readonly Issue[] };

/** What `[messaging]` comes to. */
export type MessagingResult = {
  readonly adapters: readonly AdapterConfig[];
  readonly invalid: readonly InvalidKey[];
  readonly disabledKeys: readonly string[];
  /** Of `[messaging]` itself: they stop the config as a whole. */
  readonly issues: readonly Issue[];
};

/** What {@link readMessaging} needs beside the table. */
export type MessagingContext = ReadContext & {
  /** `null` where it is wrong itself. */
  readonly adminListen: ListenAddress | null;
};

type Outcome = { readonly keyTable: KeyTable; readonly outcome: TableOutcome };

/** Reads every table of `messaging`; the order of its keys changes nothing. */
export async function readMessaging(messaging: unknown, context: MessagingContext): Promise<MessagingResult> {
  if (messaging !== undefined && !isTable(messaging)) {
    const message = `found ${describeKind(messaging)}, expected a table`;
    return { adapters: [], invalid: [], disabledKeys: [], issues: [{ path: "messaging", message }] };
  }
  const tables = messaging ?? {};
  const names = Object.keys(tables).filter((name) => !ignoredPlatforms.has(name));
  const ours = platforms.filter((platform) => names.includes(platform));
  const others = names.filter((name) => !isPlatform(name)).toSorted();
  const issues = others.flatMap((name) => unknownTableIssues(name, tables[name]));
  const thirdParties = others.filter((name) => unknownTableIssues(name, tables[name]).length === 0);

  const keyTables = [...ours, ...thirdParties].flatMap((name) => listRuntimeKeys(name, tables[name]));
  const enabled = keyTables.filter((keyTable) => keyTable.isEnabled);
  const outcomes = await Promise.all(
    enabled.map(async (keyTable): Promise<Outcome> => ({
      keyTable,
      outcome: await readKeyTable(keyTable, tables, context),
    })),
  );
  const disabledKeys = keyTables.filter((keyTable) => !keyTable.isEnabled).map((keyTable) => keyTable.key);
  return { ...sortOutcomes(outcomes, context.adminListen), disabledKeys, issues };
}

function readKeyTable(keyTable: KeyTable, tables: Table, context: MessagingContext): Promise<TableOutcome> {
  const { platform } = keyTable;
  if (isPlatform(platform)) return readAdapterTable(keyTable, platformTables[platform], context);
  const root = tables[platform];
  return readThirdPartyTable(keyTable, isTable(root) ? root["module"] : undefined, context);
}

function unknownTableIssues(name: string, table: unknown): readonly Issue[] {
  const path = joinPath("messaging", name);
  if (isThirdParty(table)) {
    const problem = platformNameProblem(name);
    return problem === null ? [] : [{ path, message: problem }];
  }
  const nearest = nearestKey(name, platforms);
  const hint = nearest === null ? `expected one of ${platforms.join(", ")}` : `the nearest known one is "${nearest}"`;
  return [{ path, message: `unknown platform, ${hint}; an adapter of your own needs the key module` }];
}

function sortOutcomes(
  outcomes: readonly Outcome[],
  adminListen: ListenAddress | null,
): Pick<MessagingResult, "adapters" | "invalid"> {
  const listeners: Listener[] = [];
  if (adminListen?.kind === "tcp") listeners.push({ ...adminListen, name: "admin.listen", path: "admin" });
  for (const { keyTable, outcome } of outcomes) {
    if (outcome.kind === "valid" && outcome.listensAt !== null)
      listeners.push({ ...outcome.listensAt, name: keyTable.key, path: keyTable.path });
  }
  const conflicts = findListenConflicts(listeners);
  const adapters: AdapterConfig[] = [];
  const invalid: InvalidKey[] = [];
  for (const { keyTable, outcome } of outcomes) {
    const { key, platform } = keyTable;
    if (outcome.kind === "absent") continue;
    const conflict = conflicts.get(key);
    if (outcome.kind === "invalid") invalid.push({ key, platform, issues: outcome.issues });
    else if (conflict !== undefined) invalid.push({ key, platform, issues: [conflict] });
    else adapters.push(outcome.config);
  }
  return { adapters, invalid };
}
