/** The bearer token of the admin API: made once per state directory, read by whoever may read that. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../support/errno.ts";

const wellFormed = /^[A-Za-z0-9_-]{43}$/;

/** Where the token of a state directory is. */
export function adminTokenPath(stateDir: string): string {
  return join(stateDir, "admin.token");
}

/**
 * The token in `stateDir`, made (32 random bytes as base64url, mode 0600) where there is none or it is not whole.
 * A mode that lets others read it is corrected.
 */
export async function ensureAdminToken(stateDir: string): Promise<string> {
  const existing = await readAdminToken(stateDir);
  const path = adminTokenPath(stateDir);
  if (existing !== null) {
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return existing;
  }
  const token = randomBytes(32).toString("base64url");
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  // Whole or not at all: a reader never sees half a token.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${token}\n`, { mode: 0o600 });
  await rename(draft, path);
  return token;
}

/** The token in `stateDir`; `null` where there is none or it is not whole. @throws the file system's error otherwise. */
export async function readAdminToken(stateDir: string): Promise<string | null> {
  try {
    const token = (await readFile(adminTokenPath(stateDir), "utf8")).trim();
    return wellFormed.test(token) ? token : null;
  } catch (reason) {
    const code = errnoOf(reason);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw reason;
  }
}
