/** Which runtime keys a platform's table names, before anybody looks at what is in them. */
import { nameProblem } from "./common-fields.ts";
import { describeKind, joinPath, type Issue } from "./issue.ts";
import { isTable, type Table } from "./plain-value.ts";

/** One runtime key's own table. */
export type KeyTable = {
  readonly key: string;
  readonly platform: string;
  /** Such as `messaging.slack.instances[1]`. */
  readonly path: string;
  readonly table: Table;
  /** The root table rather than an instance. */
  readonly isDefault: boolean;
  /** Whether instances stand beside it. */
  readonly hasInstances: boolean;
  readonly isEnabled: boolean;
  /** What is wrong with its place or name. */
  readonly issues: readonly Issue[];
};

/** The default key first, then the instances in their order. Every key once: instances of one name share it with an issue each. */
export function listRuntimeKeys(platform: string, root: unknown): readonly KeyTable[] {
  const path = joinPath("messaging", platform);
  const common = { platform, path, isDefault: true, hasInstances: false };
  if (!isTable(root)) {
    const issues = [{ path, message: `found ${describeKind(root)}, expected a table` }];
    return [{ ...common, key: platform, table: {}, isEnabled: true, issues }];
  }
  const { instances, ...table } = root;
  const isArray = Array.isArray(instances);
  const entries: readonly unknown[] = isArray ? instances : [];
  const listPath = joinPath(path, "instances");
  const issues =
    instances === undefined || isArray
      ? []
      : [{ path: listPath, message: `found ${describeKind(instances)}, expected tables: [[${listPath}]]` }];
  const isEnabled = table["enabled"] !== false;
  return [
    { ...common, key: platform, table, hasInstances: entries.length > 0, isEnabled, issues },
    ...mergeSameKeys(entries.map((entry, index) => instanceTable(platform, listPath, entry, index))),
  ];
}

function instanceTable(platform: string, listPath: string, entry: unknown, index: number): KeyTable {
  const path = joinPath(listPath, index);
  // An instance without a usable name still needs one in status and plan.
  const key = `${platform}:instances[${index}]`;
  const common = { platform, path, isDefault: false, hasInstances: true };
  if (!isTable(entry)) {
    const issues = [{ path, message: `found ${describeKind(entry)}, expected a table` }];
    return { ...common, key, table: {}, isEnabled: true, issues };
  }
  const { name, ...table } = entry;
  const isEnabled = table["enabled"] !== false;
  const problem = nameProblem(name);
  if (problem === null) return { ...common, key: `${platform}:${String(name)}`, table, isEnabled, issues: [] };
  return { ...common, key, table, isEnabled, issues: [{ path: joinPath(path, "name"), message: problem }] };
}

/** Neither of two tables with one name can be the right one: both are named, none runs. */
function mergeSameKeys(tables: readonly KeyTable[]): readonly KeyTable[] {
  const groups = Map.groupBy(tables, (table) => table.key);
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group;
    if (first === undefined) return [];
    if (others.length === 0) return [first];
    const issues = group.map((table) => {
      const holders = group.filter((other) => other !== table).map((other) => other.path);
      const message = `found the name of ${holders.join(" and ")}, expected a name of its own`;
      return { path: joinPath(table.path, "name"), message };
    });
    const isEnabled = group.some((table) => table.isEnabled);
    return [{ ...first, isEnabled, issues: [...group.flatMap((table) => table.issues), ...issues] }];
  });
}
