/** What an error of SQLite or of the file system means for the journal. */
import { GatewayError } from "../src/contract/errors.ts";

const corrupt = 11;
const notADatabase = 26;
/** Permission, busy, locked, out of memory, read-only, I/O error, full, cannot open: it may pass without our doing. */
const passing: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 13, 14]);

/** SQLite's primary result code; `null` for an error that is not its. */
function sqliteCode(reason: unknown): number | null {
  return reason instanceof Error && "errcode" in reason && typeof reason.errcode === "number"
    ? reason.errcode & 0xff
    : null;
}

/** The file itself is damaged, or never was a journal. */
export function isDamage(reason: unknown): boolean {
  const code = sqliteCode(reason);
  return code === corrupt || code === notADatabase || reason instanceof DamagedFileError;
}

/** The check at the opening found damage. */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
}

/** `reason` as `journal_unavailable` where the disk or the file is to blame, else as {@link GatewayError.from} has it. */
export function journalError(doing: string, reason: unknown): GatewayError {
  if (reason instanceof GatewayError) return reason;
  const code = sqliteCode(reason);
  const isSystemError = reason instanceof Error && "syscall" in reason;
  if ((code !== null && passing.has(code)) || isDamage(reason) || isSystemError)
    return new GatewayError("journal_unavailable", `Cannot ${doing}: ${(reason as Error).message}`, { cause: reason });
  return GatewayError.from(reason);
}
