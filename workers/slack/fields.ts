/** Reading what Slack sent: anything may be missing or of another type, and nothing here throws. */

/** A JSON object whose members nobody has looked at. */
export type Fields = Readonly<Record<string, unknown>>;

const noFields: Fields = {};
const nothing: readonly unknown[] = [];

/** `value` as an object; an empty one where it is none. */
export function fieldsOf(value: unknown): Fields {
  // Checked above the cast: an object has string keys.
  return isFields(value) ? value : noFields;
}

/** Whether `value` is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `value` as a text; `""` where it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** `value` as a list; an empty one where it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : nothing;
}

/** `value` as a number; `null` where it is none. */
export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
