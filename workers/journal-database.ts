/** Opens the journal's file: one writing connection, checked, migrated; a damaged file is set aside and never deleted. */
import { chmodSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../src/contract/errors.ts";
import type { JournalTask } from "../src/contract/journal-wire.ts";
import { DamagedFileError, isDamage } from "./journal-error.ts";
import { migrations } from "./journal-schema.ts";

/** Before 3.51.3 two connections that checkpoint at once could corrupt a file (the WAL-reset bug). */
const oldestVersion = "3.51.3";
/** Checked at every opening: it costs milliseconds. */
const alwaysCheckedBytes = 16 * 2 ** 20;
/** Checked after an unclean end; a larger file would hold up the start for seconds, and shows its damage when it is read. */
const uncleanCheckedBytes = 256 * 2 ** 20;
/** Of 4 KiB: the hot pages of a busy journal are written back once in 16 MiB rather than four times. */
const checkpointPages = 4_000;

/** A journal's file, open. */
export type OpenDatabase = { readonly database: DatabaseSync; readonly setAsidePath: string | null };

/**
 * Opens, or makes, the journal's database. Its directory is made 0700, its files 0600.
 * @throws {GatewayError} `journal_unavailable` for a file of a newer Bulkhead; SQLite's and the file system's own errors.
 */
export function openDatabase(task: JournalTask): OpenDatabase {
  assertVersion(process.versions["sqlite"] ?? "0");
  const { path } = task;
  if (path !== null) makePrivate(path);
  const database = connect(path);
  try {
    prepare(database, task, 0);
    return { database, setAsidePath: null };
  } catch (reason) {
    // Before the connection is closed, which would empty the write-ahead log and remove it.
    const setAsidePath = path !== null && isDamage(reason) ? setAside(path) : null;
    database.close();
    if (path === null || setAsidePath === null) throw reason;
    makePrivate(path);
    return { database: begin(path, task), setAsidePath };
  }
}

/** A new file. Numbers of the lost one may be in others' hands (cursors, receipts): its own begin above any of them. */
function begin(path: string, task: JournalTask): DatabaseSync {
  const database = connect(path);
  try {
    prepare(database, task, Date.now());
    return database;
  } catch (reason) {
    database.close();
    throw reason;
  }
}

function connect(path: string | null): DatabaseSync {
  return new DatabaseSync(path ?? ":memory:", { timeout: 250, enableForeignKeyConstraints: false });
}

/** @throws {GatewayError} `internal` for an SQLite that can corrupt a file. */
export function assertVersion(version: string): void {
  const [found, oldest] = [version, oldestVersion].map((text) =>
    text.split(".").reduce((number, part) => number * 1_000 + Number(part), 0),
  );
  if (found === undefined || oldest === undefined || !(found >= oldest))
    throw new GatewayError(
      "internal",
      `Cannot open the journal: this Node has SQLite ${version}, ${oldestVersion} or newer is needed`,
    );
}

function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Never opened where it exists: closing any descriptor of a file drops this process's locks on it, SQLite's too.
  if (!existsSync(path)) writeFileSync(path, "", { flag: "wx", mode: 0o600 });
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
}

function setAside(path: string): string {
  const target = `${path}.corrupt-${new Date().toISOString()}`;
  for (const suffix of ["", "-wal", "-shm"]) if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  return target;
}

function prepare(database: DatabaseSync, task: JournalTask, firstNumber: number): void {
  const sizeBytes = task.path === null ? 0 : statSync(task.path).size;
  // Exclusive: a second writer is refused by the kernel, and no shared-memory file or its locking calls are needed.
  database.exec(`PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = ${task.path === null ? "MEMORY" : "WAL"};
    PRAGMA synchronous = ${task.durability === "full" ? "FULL" : "NORMAL"};
    PRAGMA mmap_size = 0;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = ${checkpointPages};
    PRAGMA journal_size_limit = 67108864`);
  if (task.maxPages !== null) database.exec(`PRAGMA max_page_count = ${task.maxPages}`);
  migrate(database, firstNumber);
  check(database, task, sizeBytes);
  database.exec("UPDATE meta SET is_clean = 0");
}

function migrate(database: DatabaseSync, firstNumber: number): void {
  const version = numberOf(database, "PRAGMA user_version");
  if (version > migrations.length)
    throw new GatewayError(
      "journal_unavailable",
      `Cannot open the journal: its schema has version ${version}, this Bulkhead knows up to ${migrations.length}`,
      { userAction: "Start the newer Bulkhead that wrote it, or move the file away" },
    );
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${index + 1}; COMMIT`);
    // Clients keep mail cursors beyond the life of a file: those of a new one must be above any they have.
    if (index === 0)
      database.prepare("UPDATE meta SET seq = ?, send_seq = ?, cursor = ?").run(firstNumber, firstNumber, Date.now());
  }
}

function check(database: DatabaseSync, task: JournalTask, sizeBytes: number): void {
  const isClean = numberOf(database, "SELECT is_clean FROM meta") === 1;
  const isDue = sizeBytes <= (isClean ? alwaysCheckedBytes : uncleanCheckedBytes);
  if (task.check === "skip" || (task.check === "auto" && !isDue)) return;
  const pragma = task.check === "full" ? "integrity_check" : "quick_check";
  const found = Object.values(database.prepare(`PRAGMA ${pragma}(1)`).get() ?? {})[0];
  if (found !== "ok") throw new DamagedFileError(`The journal's file is damaged: ${String(found)}`);
}

/** The one number that `sql` asks for. */
export function numberOf(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
}
