/** Which settings differ between two specs, by name and never by value: what `bulkhead plan` prints beside an action. */
import { platforms, type AdapterSpec, type ConsumerSpec } from "../contract/spec.ts";
import { canonicalJson } from "./canonical-json.ts";
import { configKey } from "./config-key.ts";
import { comparablePolicy, comparableSettings } from "./fingerprint.ts";

/** Policy fields that come from bindings alone are named after the binding's key. */
const bindingFields: Readonly<Record<string, string>> = {
  guildFilter: "bindings.guild_id",
  workspaceFilter: "bindings.workspace_id",
  chatFilter: "bindings.chat_id",
  channelFilter: "bindings.channel_ids",
};

/**
 * Config paths below the adapter's table that differ, sorted: `["bot_token", "supervisor.memory_limit_mb"]`. A third
 * party's settings are named as written, `settings.room`; a module whose file changed is `module`.
 */
export function changedFields(before: AdapterSpec, after: AdapterSpec): readonly string[] {
  const isBuiltIn = (platforms as readonly string[]).includes(after.platform);
  const settings = differingPaths(
    comparableSettings(before.platform, before.settings),
    comparableSettings(after.platform, after.settings),
  ).map((path) => (isBuiltIn ? configKey(path) : `settings.${path}`));
  const policy = differingPaths(comparablePolicy(before.policy), comparablePolicy(after.policy), { depth: 1 }).map(
    (name) => bindingFields[name] ?? configKey(name),
  );
  const supervisor = differingPaths(before.supervisor, after.supervisor).map((name) => `supervisor.${configKey(name)}`);
  const fields = new Set([...settings, ...policy, ...supervisor]);
  if (before.platform !== after.platform) fields.add("platform");
  const isConnectionChanged = before.fingerprints.connection !== after.fingerprints.connection;
  // A file's hash is in the fingerprint alone, so a change that nothing else explains is the file's.
  if (before.moduleUrl !== after.moduleUrl || (isConnectionChanged && !isBuiltIn && fields.size === 0))
    fields.add("module");
  return [...fields].sort();
}

/** Keys of a `[[consumers]]` entry that differ, sorted; `module` also when only the module's file changed. */
export function changedConsumerFields(before: ConsumerSpec, after: ConsumerSpec): readonly string[] {
  const { fingerprint: previous, target: from, ...old } = before;
  const { fingerprint, target: to, ...next } = after;
  const fields = new Set([...differingPaths(old, next), ...differingPaths(from, to)].map(consumerField));
  if (fields.size === 0 && previous !== fingerprint) fields.add("module");
  return [...fields].sort();
}

function consumerField(name: string): string {
  if (name === "moduleUrl") return "module";
  return name === "kind" ? "target" : configKey(name);
}

/** Dotted paths at which two records differ, down to `depth` levels; lists and sets are compared whole. */
function differingPaths(before: object, after: object, { depth = 8 }: { readonly depth?: number } = {}): string[] {
  const left: Readonly<Record<string, unknown>> = { ...before };
  const right: Readonly<Record<string, unknown>> = { ...after };
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].flatMap((name) => {
    const [from, to] = [left[name], right[name]];
    if (canonicalJson(from) === canonicalJson(to)) return [];
    if (depth === 1 || !isTable(from) || !isTable(to)) return [name];
    return differingPaths(from, to, { depth: depth - 1 }).map((path) => `${name}.${path}`);
  });
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
