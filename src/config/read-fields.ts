/** Reads one table field by field, so that one wrong field hides no error of another. */
import type { z } from "zod";
import { joinPath, unknownKeyIssue, zodIssues, type Issue } from "./issue.ts";
import type { Table } from "./plain-value.ts";

/** Fields by name. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** What was read: right fields with their defaults, and which ones are wrong. */
export type ReadFields = {
  readonly fields: Table;
  readonly wrong: ReadonlySet<string>;
  readonly issues: readonly Issue[];
};

/** What {@link readFields} does not look at. */
export type ReadOptions = {
  /** Known keys that somebody else reads. */
  readonly elsewhere?: readonly string[];
  /** Fields already known to be wrong, whose issue somebody else has reported. */
  readonly alreadyWrong?: ReadonlySet<string>;
};

/** Every field of `shape` in `table`; a key outside it is an issue. */
export function readFields(shape: Shape, table: Table, base: string, options: ReadOptions = {}): ReadFields {
  const wrong = new Set(options.alreadyWrong);
  const issues: Issue[] = [];
  const fields: [string, unknown][] = [];
  for (const [key, schema] of Object.entries(shape)) {
    if (wrong.has(key)) continue;
    const parsed = schema.safeParse(Object.hasOwn(table, key) ? table[key] : undefined, { reportInput: true });
    if (parsed.success) fields.push([key, parsed.data]);
    else {
      wrong.add(key);
      issues.push(...zodIssues(parsed.error, schema, joinPath(base, key)));
    }
  }
  const known = [...Object.keys(shape), ...(options.elsewhere ?? [])];
  for (const key of Object.keys(table)) if (!known.includes(key)) issues.push(unknownKeyIssue(base, key, known));
  return { fields: Object.fromEntries(fields), wrong, issues };
}
