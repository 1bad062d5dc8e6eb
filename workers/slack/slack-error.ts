/** What Slack and its library say went wrong, in the gateway's words. Nothing of theirs is passed on: it may hold tokens. */
import { GatewayError, type ErrorCode } from "../../src/contract/errors.ts";
import { fieldsOf, isFields, numberOf, textOf } from "./fields.ts";
import { LostAnswerError } from "./http-client.ts";

const codes: Readonly<Record<string, ErrorCode>> = {
  ...each("unauthorized", [
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "user_removed_from_team",
    "team_disabled",
    "org_login_required",
  ]),
  ...each("forbidden", [
    "missing_scope",
    "no_permission",
    "access_denied",
    "not_allowed_token_type",
    "not_in_channel",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "ekm_access_denied",
    "team_access_not_granted",
    "cannot_dm_bot",
    "messages_tab_disabled",
    "user_is_restricted",
    "cant_update_message",
    "edit_window_closed",
    "link_disabled",
  ]),
  ...each("not_found", [
    "channel_not_found",
    "user_not_found",
    "users_not_found",
    "user_not_in_channel",
    "user_disabled",
    "message_not_found",
    "thread_not_found",
    "file_not_found",
    "file_deleted",
    "no_reaction",
  ]),
  ...each("message_rejected", [
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_arguments",
    "invalid_arg_name",
    "invalid_name",
    "invalid_thread_ts",
    "invalid_ts_latest",
    "bad_timestamp",
    "msg_too_long",
    "msg_blocks_too_long",
    "markdown_text_conflict",
    "no_text",
    "no_item_specified",
    "too_many_attachments",
    "too_many_emoji",
    "too_many_reactions",
    "cannot_reply_to_message",
    "invalid_time",
    "time_in_past",
    "time_too_far",
    "invalid_post_type",
    "metadata_too_large",
    "posting_to_channel_denied",
  ]),
  ...each("rate_limited", ["ratelimited", "rate_limited", "message_limit_exceeded"]),
  ...each("platform_unavailable", [
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
    "accesslimited",
  ]),
  ...each("too_large", ["file_upload_size_restricted", "request_entity_too_large"]),
};

const userActions: Readonly<Record<string, string>> = {
  not_in_channel: "Invite the bot to the channel",
  not_allowed_token_type: "Use a bot token (xoxb-) as bot_token and an app-level token (xapp-) as app_token",
  link_disabled: "Enable Socket Mode in the Slack app's settings",
};
const newCredentials = "Replace bot_token or app_token with a valid one of the Slack app, then reload";
/** Methods that change something. */
const writing = /^(?:chat|files|reactions)\./u;
/** Where Slack asks to wait and does not say how long. */
const defaultRetryAfterMs = 30_000;

/**
 * `reason` of the failed call `method` as a GatewayError. A lost answer to a request that may have changed something is
 * `timeout`, with retry `never` where it may still be carried out; one to a request that never left or only reads is
 * `platform_unavailable`, or `timeout` when it took too long.
 */
export function slackError(reason: unknown, method: string): GatewayError {
  if (reason instanceof GatewayError) return reason;
  const fields = isFields(reason) ? reason : {};
  const doing = `Cannot call ${method}`;
  switch (fields["code"]) {
    case "slack_webapi_platform_error":
      return platformError(fieldsOf(fields["data"]), doing);
    case "slack_webapi_rate_limited_error":
      return rateLimited(doing, numberOf(fields["retryAfter"]));
    case "slack_webapi_http_error":
      return httpError(numberOf(fields["statusCode"]) ?? 0, doing);
    case "slack_webapi_request_error":
      return lostAnswer(fields["original"], method);
    default:
      break;
  }
  const message = reason instanceof Error ? reason.message : "";
  if (message.startsWith("Retry header did not")) return rateLimited(doing, null);
  return reason instanceof LostAnswerError
    ? lostAnswer(reason, method)
    : new GatewayError("platform_unavailable", `${doing}: the library failed`);
}

/** Slack's own short name of what went wrong, such as `already_reacted`; `""` where it said nothing. */
export function slackCodeOf(reason: unknown): string {
  return isFields(reason) ? textOf(fieldsOf(reason["data"])["error"]) : "";
}

function platformError(data: Readonly<Record<string, unknown>>, doing: string): GatewayError {
  const found = textOf(data["error"]);
  // An answer that is no JSON comes as its whole text.
  if (!/^[a-z0-9_.:-]{1,80}$/u.test(found))
    return new GatewayError("platform_unavailable", `${doing}: the answer is no JSON`);
  if (found === "missing_scope") return missingScope(textOf(data["needed"]), doing);
  const code = codes[found];
  if (code === "rate_limited") return rateLimited(doing, numberOf(fieldsOf(data["response_metadata"])["retryAfter"]));
  // Slack has hundreds of them; one that nobody knows is tried a few times.
  return new GatewayError(code ?? "internal", `${doing}: Slack says ${found}${detailOf(data)}`, {
    userAction: userActions[found] ?? (code === "unauthorized" ? newCredentials : null),
  });
}

/** The refusal for a scope that the token lacks. */
export function missingScope(scope: string, doing: string): GatewayError {
  const name = /^[a-z:._,-]{1,200}$/u.test(scope) ? scope : "a scope";
  return new GatewayError("forbidden", `${doing}: the token lacks ${name}`, {
    userAction: `Add ${name} to the Slack app's scopes and install the app again`,
  });
}

/** What Slack says of the field that is wrong: of our own making, so it holds no secret. */
function detailOf(data: Readonly<Record<string, unknown>>): string {
  const { messages } = fieldsOf(data["response_metadata"]);
  const [first] = Array.isArray(messages) ? (messages as readonly unknown[]) : [];
  return typeof first === "string" ? ` (${first.slice(0, 200)})` : "";
}

function rateLimited(doing: string, seconds: number | null): GatewayError {
  const delayMs = seconds === null ? defaultRetryAfterMs : Math.max(1, seconds) * 1000;
  return new GatewayError("rate_limited", `${doing}: Slack asks to wait ${Math.ceil(delayMs / 1000)} s`, {
    retry: { kind: "after", delayMs },
  });
}

function httpError(status: number, doing: string): GatewayError {
  if (status === 401) return new GatewayError("unauthorized", `${doing}: HTTP 401`, { userAction: newCredentials });
  if (status === 413) return new GatewayError("too_large", `${doing}: HTTP 413`);
  return new GatewayError("platform_unavailable", `${doing}: HTTP ${status}`);
}

function lostAnswer(reason: unknown, method: string): GatewayError {
  const lost = reason instanceof LostAnswerError ? reason : null;
  const isTimeout = lost?.isTimeout === true;
  const mayHaveActed = writing.test(method) && (lost === null || lost.mayHaveArrived);
  const message = `Cannot call ${method}: ${lost?.message ?? "the answer was lost"}`;
  if (!mayHaveActed) return new GatewayError(isTimeout ? "timeout" : "platform_unavailable", message);
  // What was cut off is over; what is slow may still be carried out.
  return new GatewayError("timeout", message, { retry: { kind: isTimeout ? "never" : "backoff" } });
}

function each(code: ErrorCode, names: readonly string[]): Readonly<Record<string, ErrorCode>> {
  return Object.fromEntries(names.map((name): [string, ErrorCode] => [name, code]));
}
