/** One text per value, whatever order it was written in: what fingerprints are made of and what two configs are compared by. */

const deepestLevel = 64;

/**
 * `value` as JSON with sorted object keys. A `Set` is a list whose order and repetitions mean nothing; an absent and an
 * `undefined` property are the same. Never parsed back, so TOML's `inf` and `nan` stand for themselves.
 * `encodeString` writes every string value (not the keys); default: as JSON.
 * @throws {TypeError} for functions and symbols, and for what is nested deeper than 64 levels, such as a cycle.
 */
export function canonicalJson(value: unknown, encodeString: (text: string) => string = JSON.stringify): string {
  return encode(value, encodeString, 0);
}

function encode(value: unknown, encodeString: (text: string) => string, level: number): string {
  if (level > deepestLevel) throw new TypeError(`Cannot encode a value: nested deeper than ${deepestLevel} levels`);
  if (typeof value === "string") return encodeString(value);
  if (typeof value === "object" && value !== null) return encodeObject(value, encodeString, level + 1);
  // -0 and 0 are one number to every reader of a config.
  if (typeof value === "number" || typeof value === "bigint") return value === 0 ? "0" : String(value);
  if (typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "null";
  throw new TypeError(`Cannot encode a value: found a ${typeof value}, wanted plain data`);
}

function encodeObject(value: object, encodeString: (text: string) => string, level: number): string {
  if (Array.isArray(value)) return `[${value.map((item) => encode(item, encodeString, level)).join(",")}]`;
  if (value instanceof Date) return encodeString(value.toISOString());
  if (value instanceof Set) {
    const items = new Set([...value].map((item) => encode(item, encodeString, level)));
    return `[${[...items].sort().join(",")}]`;
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]): [string, string] => [key, encode(member, encodeString, level)])
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
}
