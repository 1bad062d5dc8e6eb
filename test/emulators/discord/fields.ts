/** Reading request bodies. */

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** `value` as an object; `{}` for what is none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** `value` as a list of objects. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

export function textIn(fields: Fields, key: string): string {
  const text = fields[key];
  return typeof text === "string" ? text : "";
}

/** How long Discord says that a text is. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}
