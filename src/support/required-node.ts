/** Which Node the gateway needs, said before an older one stumbles over what it does not know. */

const wantedMajor = 24;
const wantedMinor = 15;

/** @throws {Error} naming both versions when `version`, such as `20.11.1`, is below the package's `engines`. */
export function assertNodeIsNewEnough(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new Error(`Cannot load bulkhead: found Node ${version}, expected >=${wantedMajor}.${wantedMinor}`);
}
