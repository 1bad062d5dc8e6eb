/** The codes of Node's system errors. */

/** `ENOENT`, `EADDRINUSE`, …: the code of a system error; `null` where `reason` is none. */
export function errnoOf(reason: unknown): string | null {
  return reason instanceof Error && "code" in reason && typeof reason.code === "string" ? reason.code : null;
}
