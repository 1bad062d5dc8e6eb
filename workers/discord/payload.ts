/** Reading what Discord sends: unknown until looked at, and a field that is not as it should be counts as absent. */

/** A JSON object that nothing is known of. */
export type Payload = Readonly<Record<string, unknown>>;

/** `value` as an object; `null` for anything else. */
export function payloadOf(value: unknown): Payload | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Payload) : null;
}

/** The object under `key`. */
export function childOf(payload: Payload, key: string): Payload | null {
  return payloadOf(payload[key]);
}

/** The objects of the list under `key`; what is no object is left out. */
export function childrenOf(payload: Payload, key: string): readonly Payload[] {
  const list = payload[key];
  return Array.isArray(list) ? list.map(payloadOf).filter((child) => child !== null) : [];
}

/** The text under `key`; `""` where there is none. */
export function textOf(payload: Payload, key: string): string {
  const text = payload[key];
  return typeof text === "string" ? text : "";
}

/** The number under `key`. */
export function numberOf(payload: Payload, key: string): number | null {
  const number = payload[key];
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

/** The snowflake under `key`: digits, as text, since it does not fit a number. */
export function idOf(payload: Payload, key: string): string | null {
  const id = payload[key];
  return typeof id === "string" && isSnowflake(id) ? id : null;
}

/** The texts of the list under `key`. */
export function textsOf(payload: Payload, key: string): readonly string[] {
  const list = payload[key];
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

/** Whether `text` has the form of an id of Discord's. */
export function isSnowflake(text: string): boolean {
  return /^\d{1,20}$/u.test(text);
}

/** Whether snowflake `left` is newer than `right`. They are compared as numbers; their digits grow with time. */
export function isNewer(left: string, right: string): boolean {
  return left.length === right.length ? left > right : left.length > right.length;
}

const discordEpochMs = 1_420_070_400_000;

/** The least snowflake of a moment: everything made since has a greater one. */
export function snowflakeAt(atMs: number): string {
  return String(BigInt(Math.max(0, Math.trunc(atMs - discordEpochMs))) << 22n);
}

/** When a snowflake was made, milliseconds since 1970. */
export function snowflakeTimeMs(id: string): number {
  return Number(BigInt(id) >> 22n) + discordEpochMs;
}
