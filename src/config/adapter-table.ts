/** One runtime key's table of a built-in platform, read in full: references, defaults, rules. */
import type { AdapterConfig } from "../contract/config.ts";
import type { SupervisorSettings } from "../contract/spec.ts";
import { camelKeys } from "./camel-keys.ts";
import { commonShape, defaultPolicy } from "./common-fields.ts";
import { joinPath, type Issue } from "./issue.ts";
import type { ListenPoint, PlatformTable } from "./platform-table.ts";
import type { Table } from "./plain-value.ts";
import { readFields } from "./read-fields.ts";
import type { ReferenceResolver } from "./references.ts";
import type { KeyTable } from "./runtime-keys.ts";
import { referenceFields } from "./schema-parts.ts";
import { overrideSupervisor } from "./supervisor-schema.ts";

/** What reading any table needs. */
export type ReadContext = {
  readonly resolver: ReferenceResolver;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly supervisor: SupervisorSettings;
  readonly baseDir: string;
  readonly signal?: AbortSignal;
};

/** What a table comes to. `absent`: the root only carries instances. */
export type TableOutcome =
  | { readonly kind: "absent" }
  | { readonly kind: "invalid"; readonly issues: readonly Issue[] }
  | { readonly kind: "valid"; readonly config: AdapterConfig; readonly listensAt: ListenPoint | null };

const policyKeys: ReadonlySet<string> = new Set([
  "dm_allowed_users",
  "allow_bot_messages",
  "allowed_senders",
  "trigger_prefix",
  "max_body_bytes",
  "max_attachment_bytes",
]);

/** Reads `keyTable` as a table of `platform`, reporting everything that is wrong with it. */
export async function readAdapterTable(
  keyTable: KeyTable,
  platform: PlatformTable,
  context: ReadContext,
): Promise<TableOutcome> {
  const { path } = keyTable;
  const shape = { ...commonShape, ...platform.shape };
  const given = withEnvironment(keyTable, platform, context);
  const resolved = await resolveFields(platform, given, path, context);
  const read = readFields(shape, resolved.table, path, {
    elsewhere: keyTable.isDefault ? ["instances"] : ["name"],
    alreadyWrong: resolved.unresolved,
  });
  const supervisor = overrideSupervisor(context.supervisor, read.fields["supervisor"], joinPath(path, "supervisor"));
  const issues = [
    ...keyTable.issues,
    ...resolved.issues,
    ...read.issues.map((issue) => explainMissing(issue, keyTable, platform)),
    ...supervisor.issues,
    ...ruleIssues(platform, read.fields, read.wrong, path),
  ];
  if (isInstancesOnly(keyTable, platform, given)) {
    // Nobody asked for a default adapter: what it would miss is no error, what was written and is wrong is one.
    const written = issues.filter((issue) => isWritten(issue.path, keyTable));
    return written.length === 0 ? { kind: "absent" } : { kind: "invalid", issues: written };
  }
  if (issues.length > 0) return { kind: "invalid", issues };
  const fields = platform.complete(read.fields);
  const listensAt = platform.listensAt(fields);
  const config = toConfig(keyTable, platform, fields, supervisor.settings);
  return { kind: "valid", config: listensAt === null ? config : { ...config, listensAt }, listensAt };
}

/** The default key's implicit variables where the file is silent, without credentials that are written but empty. */
function withEnvironment(keyTable: KeyTable, platform: PlatformTable, context: ReadContext): Table {
  const given: Record<string, unknown> = { ...keyTable.table };
  if (keyTable.isDefault) {
    for (const [key, variable] of Object.entries(platform.environment)) {
      const value = context.environment[variable];
      if (!Object.hasOwn(given, key) && value !== undefined && value !== "") given[key] = value;
    }
  }
  const written = Object.entries(given).filter(([key, value]) => value !== "" || !isReferenceField(platform, key));
  return Object.fromEntries(written);
}

function isReferenceField(platform: PlatformTable, key: string): boolean {
  const schema = Object.hasOwn(platform.shape, key) ? platform.shape[key] : undefined;
  return schema !== undefined && referenceFields.has(schema);
}

async function resolveFields(
  platform: PlatformTable,
  given: Table,
  path: string,
  context: ReadContext,
): Promise<{ readonly table: Table; readonly unresolved: ReadonlySet<string>; readonly issues: readonly Issue[] }> {
  const unresolved = new Set<string>();
  const issues: Issue[] = [];
  const entries = Object.entries(given).map(async ([key, value]): Promise<[string, unknown]> => {
    if (typeof value !== "string" || !isReferenceField(platform, key)) return [key, value];
    const result = await context.resolver.resolve(value);
    if (result.ok) return [key, result.value];
    unresolved.add(key);
    issues.push({ path: joinPath(path, key), message: result.problem });
    return [key, value];
  });
  return { table: Object.fromEntries(await Promise.all(entries)), unresolved, issues };
}

/** A required field that is there but empty was dropped before it was parsed; the default key may have it from the environment. */
function explainMissing(issue: Issue, keyTable: KeyTable, platform: PlatformTable): Issue {
  if (!issue.message.startsWith("missing,")) return issue;
  const key = Object.keys(platform.shape).find((field) => joinPath(keyTable.path, field) === issue.path);
  if (key === undefined) return issue;
  if (keyTable.table[key] === "")
    return { ...issue, message: issue.message.replace("missing", "found an empty string") };
  const variable = keyTable.isDefault ? platform.environment[key] : undefined;
  if (variable === undefined) return issue;
  return { ...issue, message: `${issue.message} here or in the environment variable ${variable}` };
}

function ruleIssues(
  platform: PlatformTable,
  fields: Table,
  wrong: ReadonlySet<string>,
  path: string,
): readonly Issue[] {
  return platform.rules.flatMap((rule) => {
    const problem = rule.needs.some((key) => wrong.has(key)) ? null : rule.find(fields);
    return problem === null ? [] : [{ path: joinPath(path, problem.key), message: problem.message }];
  });
}

function isInstancesOnly(keyTable: KeyTable, platform: PlatformTable, given: Table): boolean {
  if (!keyTable.isDefault || !keyTable.hasInstances) return false;
  if (platform.credentials.length === 0) return Object.keys(keyTable.table).length === 0;
  return !platform.credentials.some((key) => Object.hasOwn(given, key));
}

function isWritten(issuePath: string, keyTable: KeyTable): boolean {
  if (keyTable.issues.some((issue) => issue.path === issuePath)) return true;
  return Object.entries(keyTable.table).some(([key, value]) => {
    const path = joinPath(keyTable.path, key);
    const isBelow = issuePath === path || issuePath.startsWith(`${path}.`) || issuePath.startsWith(`${path}[`);
    return isBelow && value !== "";
  });
}

function toConfig(
  keyTable: KeyTable,
  platform: PlatformTable,
  fields: Table,
  supervisor: SupervisorSettings,
): AdapterConfig {
  const entries = Object.entries(fields);
  const policy = Object.fromEntries(entries.filter(([key]) => policyKeys.has(key)));
  const settings = entries.filter(([key]) => !policyKeys.has(key) && !Object.hasOwn(commonShape, key));
  return {
    key: keyTable.key,
    platform: keyTable.platform,
    moduleUrl: null,
    moduleHash: null,
    settings: camelKeys(Object.fromEntries(settings)),
    secrets: secretsOf(platform, fields),
    policy: { ...defaultPolicy, ...camelKeys(policy) },
    // The common shape has parsed it.
    authority: fields["authority"] as readonly string[],
    supervisor,
  };
}

function secretsOf(platform: PlatformTable, fields: Table): readonly string[] {
  const values = Object.entries(platform.shape).map(([key, schema]) =>
    referenceFields.get(schema)?.isSecret === true ? fields[key] : "",
  );
  return [...new Set(values.filter((value): value is string => typeof value === "string" && value !== ""))];
}
