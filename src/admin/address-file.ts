/** Where a running gateway's admin API really listens, for the command line: its config may leave the port to the system, or say another one by now. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../support/errno.ts";

/** Where the address of a state directory's gateway is. */
export function adminAddressPath(stateDir: string): string {
  return join(stateDir, "admin.address");
}

/** Writes `address`, such as `127.0.0.1:8787`, into a state directory that is there. Disposing takes it away. */
export async function publishAdminAddress(stateDir: string, address: string): Promise<AsyncDisposable> {
  const path = adminAddressPath(stateDir);
  // Whole or not at all: a reader never sees half an address.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${address}\n`, { mode: 0o600 });
  await rename(draft, path);
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** The address in `stateDir`; `null` where no gateway runs. One that was killed leaves its own. @throws the file system's error otherwise. */
export async function readAdminAddress(stateDir: string): Promise<string | null> {
  try {
    return (await readFile(adminAddressPath(stateDir), "utf8")).trim();
  } catch (reason) {
    const code = errnoOf(reason);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw reason;
  }
}
