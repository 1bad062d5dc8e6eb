/** Why a consumer's thread ended that should not have, as an error. */
import { GatewayError, type ErrorReport } from "../contract/errors.ts";
import type { ExitedMeta } from "../contract/protocol.ts";

/** `null`: nothing is known. Pure. */
export function crashOf(exit: ExitedMeta | null): GatewayError {
  const report: ErrorReport | null = exit?.error ?? null;
  const what = exit?.cause === "module_failed" ? "The module could not be loaded" : "The consumer's thread ended";
  const message = report === null ? `${what}: ${exit?.cause ?? "unknown"}` : `${what}: ${report.message}`;
  return new GatewayError("worker_crashed", message, {
    cause: report === null ? undefined : GatewayError.fromReport(report),
  });
}
