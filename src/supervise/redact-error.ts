/** What an adapter says of a call that failed, before it is stored or shown: without secrets. */
import { GatewayError } from "../contract/errors.ts";

/** `error` with its texts passed through `redact`; the same object where nothing had to be hidden. */
export function redactError(error: GatewayError, redact: (text: string) => string): GatewayError {
  const { code, message, stack, retry, userAction } = error.toReport();
  const report = {
    code,
    message: redact(message),
    stack: stack === null ? null : redact(stack),
    retry,
    userAction: userAction === null ? null : redact(userAction),
  };
  const isClean = report.message === message && report.stack === stack && report.userAction === userAction;
  return isClean ? error : GatewayError.fromReport(report);
}
