/** What the file of an adapter's token is called, here and by the programs that wrote such files before. Pure. */
import { hash } from "node:crypto";

const longestSafeCharacters = 64;
const hashCharacters = 16;

/**
 * The file of a runtime key's token: `twitch_token.json` for the default instance, for a named one
 * `twitch_token_{name, sanitised, at most 64}_{16 hex of SHA-256 of the name}.json`. The hash tells names apart that are
 * sanitised to the same, and is the same in every version of everything.
 */
export function tokenFileName(key: string): string {
  const { platform, name } = split(key);
  if (name === null) return `${platform}_token.json`;
  const digest = hash("sha256", name).slice(0, hashCharacters);
  return `${platform}_token_${safe(name).slice(0, longestSafeCharacters)}_${digest}.json`;
}

/**
 * Which of `fileNames` are `key`'s under an older name: `twitch_token_{safe}.json`, or with 16 hex digits of another hash.
 * One that may as well be another of `keys` is nobody's: its token would log in as somebody else.
 */
export function legacyTokenFiles(
  key: string,
  fileNames: readonly string[],
  keys: ReadonlySet<string>,
): readonly string[] {
  const others = [...keys].filter((other) => other !== key);
  const claimed = new Set(others.map(tokenFileName));
  return fileNames.filter(
    (fileName) =>
      isLegacyName(fileName, key) && !claimed.has(fileName) && !others.some((other) => isLegacyName(fileName, other)),
  );
}

function isLegacyName(fileName: string, key: string): boolean {
  const { platform, name } = split(key);
  if (name === null || fileName === tokenFileName(key)) return false;
  const stems = [safe(name), safe(name).slice(0, longestSafeCharacters)].map((text) => `${platform}_token_${text}`);
  return stems.some(
    (stem) =>
      fileName === `${stem}.json` ||
      (fileName.startsWith(`${stem}_`) && /^[0-9a-f]{16}\.json$/u.test(fileName.slice(stem.length + 1))),
  );
}

function split(key: string): { readonly platform: string; readonly name: string | null } {
  const colon = key.indexOf(":");
  if (colon === -1) return { platform: key, name: null };
  return { platform: key.slice(0, colon), name: key.slice(colon + 1) };
}

function safe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/gu, "_");
}
