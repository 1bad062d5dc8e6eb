/** This installation's key: fingerprints of secrets are HMACs with it, so that they say nothing outside of it. */
import { open, readFile, rename } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { GatewayError } from "../contract/errors.ts";
import { errnoOf } from "../support/errno.ts";

const keyBytes = 32;

/**
 * The 32 random bytes in `install.key`, made (0600) where there are none. Call it while holding the state directory.
 * @throws {GatewayError} `config_invalid` when the file cannot be used.
 */
export async function ensureInstallKey(stateDir: string): Promise<Uint8Array> {
  const path = join(stateDir, "install.key");
  try {
    const key = await readFile(path).catch((reason: unknown) => {
      if (errnoOf(reason) === "ENOENT") return createKey(path);
      throw reason;
    });
    if (key.length === keyBytes) return key;
    throw new RangeError(`it has ${key.length} bytes, expected ${keyBytes}`);
  } catch (reason) {
    throw new GatewayError("config_invalid", `Cannot use ${path}: ${(reason as Error).message}`, {
      userAction: "Remove the file to get a new key; every adapter is then replaced once",
      cause: reason,
    });
  }
}

/** On disk before its name is: a key that changes after a power cut would replace every adapter. */
async function createKey(path: string): Promise<Buffer> {
  const key = randomBytes(keyBytes);
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(key);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return key;
}
