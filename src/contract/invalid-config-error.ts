/** A config that stops the gateway as a whole, with everything that is wrong in it. */
import { GatewayError } from "./errors.ts";
import type { ConfigIssue } from "./spec.ts";

/** `config_invalid` with each issue; its message is all of them, a line each. */
export class InvalidConfigError extends GatewayError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super("config_invalid", issues.map(formatIssue).join("\n"));
    this.issues = issues;
  }
}

/** One line for a person: `line 12: messaging.slack.bot_token: found nothing, expected a string`. */
export function formatIssue({ path, message, line }: ConfigIssue): string {
  const where = [line === null ? "" : `line ${line}`, path].filter((part) => part !== "").join(": ");
  return where === "" ? message : `${where}: ${message}`;
}
