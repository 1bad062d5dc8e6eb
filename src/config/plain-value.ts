/** A config value as plain data, wherever it came from: what TOML has beyond JSON becomes text, what is no data is refused. */
import { joinPath, type Issue } from "./issue.ts";

const deepestLevel = 64;

/** A string-keyed table. */
export type Table = Readonly<Record<string, unknown>>;

/** Whether `value` is a table. */
export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A deep copy of `value` as plain data. Dates become ISO 8601 text and big integers decimal text (an id may be longer
 * than a number can hold); `undefined` entries are left out. Functions, class instances, cycles and more than 64 levels are issues.
 */
export function plainValue(value: unknown): { readonly value: unknown; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  function copy(current: unknown, path: string, level: number): unknown {
    if (typeof current === "bigint") return String(current);
    if (current instanceof Date) return Number.isNaN(current.getTime()) ? "" : current.toISOString();
    if (level > deepestLevel) return refuse(path, `found more than ${deepestLevel} levels`);
    if (Array.isArray(current)) return current.map((entry, index) => copy(entry, joinPath(path, index), level + 1));
    if (typeof current === "function" || typeof current === "symbol") return refuse(path, `found a ${typeof current}`);
    if (typeof current !== "object" || current === null) return current;
    const prototype: unknown = Object.getPrototypeOf(current);
    if (prototype !== null && prototype !== Object.prototype) return refuse(path, "found a class instance");
    const entries = Object.entries(current).filter(([, entry]) => entry !== undefined);
    return Object.fromEntries(entries.map(([key, entry]) => [key, copy(entry, joinPath(path, key), level + 1)]));
  }
  function refuse(path: string, found: string): null {
    issues.push({ path, message: `${found}, expected plain data` });
    return null;
  }
  return { value: copy(value, "", 0), issues };
}
