/** What the journal of a gateway holds, read from a copy so that the file itself stays as it is. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The texts of all messages whose ack is on disk, in a journal that nobody writes just now. */
export function ackedTexts(journalPath: string): readonly string[] {
  return readCopy(journalPath, (database) =>
    database
      .prepare("SELECT json_extract(CAST(payload AS TEXT), '$.text') AS text FROM done JOIN messages USING (seq)")
      .all()
      .map(({ text }) => String(text)),
  );
}

/**
 * How many sends are not over.
 * @throws {Error} when the journal is being written: then the copy may be of no one moment.
 */
export function countOpenSends(journalPath: string): number {
  return readCopy(journalPath, (database) => {
    const row = database.prepare("SELECT count(*) AS open FROM sends WHERE state IN ('queued', 'attempted')").get();
    return Number(row?.["open"]);
  });
}

function readCopy<Value>(journalPath: string, read: (database: DatabaseSync) => Value): Value {
  const dir = mkdtempSync(join(tmpdir(), "bulkhead-copy-"));
  try {
    const copy = join(dir, "journal.db");
    for (const suffix of ["", "-wal"])
      if (existsSync(journalPath + suffix)) copyFileSync(journalPath + suffix, copy + suffix);
    using database = new DatabaseSync(copy);
    return read(database);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
