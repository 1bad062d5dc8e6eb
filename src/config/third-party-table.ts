/** `[messaging.acme]` with `module`: an adapter of somebody else's, whose settings its own module checks in its thread. */
import { z } from "zod";
import type { ReadContext, TableOutcome } from "./adapter-table.ts";
import { commonShape, defaultPolicy } from "./common-fields.ts";
import { joinPath } from "./issue.ts";
import { readModuleFile } from "./module-file.ts";
import { isTable, type Table } from "./plain-value.ts";
import { readFields } from "./read-fields.ts";
import { resolveDeep } from "./references.ts";
import type { KeyTable } from "./runtime-keys.ts";
import { text } from "./schema-parts.ts";
import { overrideSupervisor } from "./supervisor-schema.ts";

/** Keys of a third party's table. */
export const thirdPartyShape = {
  ...commonShape,
  module: text("the adapter module, relative to this file"),
  settings: z.record(z.string(), z.unknown()).default({}).describe("the adapter's own; references are resolved"),
} as const;

/** Whether `table` is a third party's: it, or an instance of it, names a module. */
export function isThirdParty(table: unknown): table is Table {
  if (!isTable(table)) return false;
  const instances: readonly unknown[] = Array.isArray(table["instances"]) ? table["instances"] : [];
  return [table, ...instances].some((entry) => isTable(entry) && Object.hasOwn(entry, "module"));
}

/** Whether `name` may be a third party's platform: it becomes part of runtime keys, metrics labels and addresses. */
export function platformNameProblem(name: string): string | null {
  if (/^[a-z][a-z0-9_-]{0,31}$/u.test(name) && !(name in Object.prototype)) return null;
  return "found a name that no platform can have, expected at most 32 of a-z, 0-9, - and _, beginning with a letter";
}

/** Reads `keyTable` as a third party's. An instance without `module` has `rootModule`, its platform's. */
export async function readThirdPartyTable(
  keyTable: KeyTable,
  rootModule: unknown,
  context: ReadContext,
): Promise<TableOutcome> {
  const { path, key, platform } = keyTable;
  const ownKeys = Object.keys(keyTable.table).filter((name) => name !== "module");
  if (keyTable.isDefault && keyTable.hasInstances && ownKeys.length === 0 && keyTable.issues.length === 0)
    return { kind: "absent" };
  const table = rootModule === undefined ? keyTable.table : { module: rootModule, ...keyTable.table };
  const read = readFields(thirdPartyShape, table, path, { elsewhere: keyTable.isDefault ? ["instances"] : ["name"] });
  const supervisor = overrideSupervisor(context.supervisor, read.fields["supervisor"], joinPath(path, "supervisor"));
  const settings = await resolveDeep(context.resolver, read.fields["settings"] ?? {}, joinPath(path, "settings"));
  const issues = [...keyTable.issues, ...read.issues, ...supervisor.issues, ...settings.issues];
  const name = read.fields["module"];
  if (typeof name !== "string") return { kind: "invalid", issues };
  const module = await readModuleFile(name, context.baseDir, context.signal);
  if (!module.ok) issues.push({ path: joinPath(path, "module"), message: module.problem });
  if (!module.ok || issues.length > 0) return { kind: "invalid", issues };
  const config = {
    key,
    platform,
    moduleUrl: module.moduleUrl,
    moduleHash: module.moduleHash,
    // Both were parsed by the shape above.
    settings: settings.value as Table,
    secrets: [...new Set(settings.secrets)],
    policy: defaultPolicy,
    authority: read.fields["authority"] as readonly string[],
    supervisor: supervisor.settings,
  };
  return { kind: "valid", config, listensAt: null };
}
