/** What the journal of a gateway that is not running holds, read from a copy so that the file itself stays as it was left. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The texts of all messages whose ack is on disk. */
export function ackedTexts(journalPath: string): readonly string[] {
  const dir = mkdtempSync(join(tmpdir(), "bulkhead-copy-"));
  const copy = join(dir, "journal.db");
  for (const suffix of ["", "-wal"])
    if (existsSync(journalPath + suffix)) copyFileSync(journalPath + suffix, copy + suffix);
  const database = new DatabaseSync(copy);
  try {
    const rows = database
      .prepare("SELECT json_extract(CAST(payload AS TEXT), '$.text') AS text FROM done JOIN messages USING (seq)")
      .all();
    return rows.map(({ text }) => String(text));
  } finally {
    database.close();
    rmSync(dir, { recursive: true });
  }
}
