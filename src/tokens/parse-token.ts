/** A token that comes from outside: an adapter's thread, or a file. */
import type { StoredToken } from "../contract/adapter.ts";

const longestSecretCharacters = 8_192;
const longestTimeCharacters = 64;

/** `value` as a token. @throws {TypeError} naming the field that is wrong, never its value. */
export function parseToken(value: unknown): StoredToken {
  if (typeof value !== "object" || value === null) throw new TypeError("found no token, expected an object");
  const { accessToken, refreshToken, expiresAt } = value as Record<string, unknown>;
  if (!isSecret(accessToken)) throw new TypeError("accessToken is not a text of a sensible length");
  if (refreshToken !== null && !isSecret(refreshToken))
    throw new TypeError("refreshToken is neither null nor a text of a sensible length");
  if (expiresAt !== null && !isTime(expiresAt)) throw new TypeError("expiresAt is neither null nor a time");
  return { accessToken, refreshToken, expiresAt };
}

function isSecret(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= longestSecretCharacters;
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && value.length <= longestTimeCharacters && Number.isFinite(Date.parse(value));
}
