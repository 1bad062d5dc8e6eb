/**
 * One gateway per state directory. The lock is SQLite's on a file of its own, held for the life of the process: the kernel
 * frees it however the process ends, so there is no stale lock to judge.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../contract/errors.ts";
import { errnoOf } from "../support/errno.ts";

/** A held state directory; disposing gives it back. */
export type StateLock = AsyncDisposable;

const busy = 5;

/**
 * Takes the state directory, making it (0700) where it is missing.
 * @throws {GatewayError} `conflict` when a running gateway holds it; `journal_unavailable` when it cannot be used at all.
 */
export async function acquireStateLock(stateDir: string): Promise<StateLock> {
  const path = join(stateDir, "state.lock");
  const holderPath = `${path}.holder`;
  let database: DatabaseSync | null = null;
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    // Never opened where it exists: closing any descriptor of the file would drop this process's own lock on it.
    await writeFile(path, "", { flag: "wx", mode: 0o600 }).catch((reason: unknown) => {
      if (errnoOf(reason) !== "EEXIST") throw reason;
    });
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    await writeHolder(holderPath);
    return held(database, holderPath);
  } catch (reason) {
    database?.close();
    if (isBusy(reason)) {
      const holder = await readHolder(holderPath);
      const who = holder === null ? "another running gateway" : `the running gateway with pid ${holder}`;
      throw new GatewayError("conflict", `Cannot use the state directory ${stateDir}: held by ${who}`, {
        userAction: "Stop that gateway, or give this one a state_dir of its own",
      });
    }
    const { message } = reason as Error;
    throw new GatewayError("journal_unavailable", `Cannot use the state directory ${stateDir}: ${message}`, {
      cause: reason,
    });
  }
}

function held(database: DatabaseSync, holderPath: string): StateLock {
  return {
    [Symbol.asyncDispose]: async () => {
      if (!database.isOpen) return;
      await rm(holderPath, { force: true });
      if (database.isOpen) database.close();
    },
  };
}

/** Who holds it, for the message that another gateway prints. Written whole, so that no half is ever read. */
async function writeHolder(path: string): Promise<void> {
  const startedAt = new Date(Date.now() - process.uptime() * 1_000).toISOString();
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify({ pid: process.pid, startedAt })}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

async function readHolder(path: string): Promise<number | null> {
  try {
    const holder = JSON.parse(await readFile(path, "utf8")) as { readonly pid?: unknown };
    return typeof holder.pid === "number" ? holder.pid : null;
  } catch {
    // The holder is just starting or stopping; it holds the lock all the same.
    return null;
  }
}

function isBusy(reason: unknown): boolean {
  return reason instanceof Error && "errcode" in reason && Number(reason.errcode) % 256 === busy;
}
