/** An issue of a config as a line for people. */
import type { ConfigIssue } from "../contract/spec.ts";

/** One line for one issue: `messaging.slack.bot_token: … (line 12)`. */
export function describeIssue(issue: ConfigIssue): string {
  const place = issue.line === null ? "" : ` (line ${issue.line})`;
  return `${issue.path === "" ? "" : `${issue.path}: `}${issue.message}${place}`;
}
