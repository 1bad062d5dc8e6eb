import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LostAnswerError } from "../../../workers/slack/http-client.ts";
import { slackError } from "../../../workers/slack/slack-error.ts";

const refusal = (error: string, data: Readonly<Record<string, unknown>> = {}): unknown => ({
  code: "slack_webapi_platform_error",
  data: { ok: false, error, ...data },
});
const lost = (mayHaveArrived: boolean, isTimeout: boolean): unknown => ({
  code: "slack_webapi_request_error",
  original: new LostAnswerError("gone", { mayHaveArrived, isTimeout }),
});

describe("slackError()", () => {
  const rows: readonly (readonly [string, unknown, string, string, string?])[] = [
    ["a revoked token", refusal("token_revoked"), "unauthorized", "never"],
    ["a missing scope", refusal("missing_scope", { needed: "chat:write" }), "forbidden", "never"],
    ["an unknown channel", refusal("channel_not_found"), "not_found", "never"],
    ["bad blocks", refusal("invalid_blocks"), "message_rejected", "never"],
    ["its own trouble", refusal("internal_error"), "platform_unavailable", "backoff"],
    ["a word nobody knows", refusal("brand_new_error"), "internal", "backoff"],
    ["an answer that is no JSON", refusal("<html>502 Bad Gateway</html>"), "platform_unavailable", "backoff"],
    ["a rate limit", { code: "slack_webapi_rate_limited_error", retryAfter: 7 }, "rate_limited", "after"],
    ["a rate limit without a time", new Error("Retry header did not contain a valid timeout"), "rate_limited", "after"],
    ["HTTP 503", { code: "slack_webapi_http_error", statusCode: 503 }, "platform_unavailable", "backoff"],
    ["a send that never left", lost(false, false), "platform_unavailable", "backoff"],
    ["a send that was cut", lost(true, false), "timeout", "backoff"],
    ["a send that was never answered", lost(true, true), "timeout", "never"],
    ["a question that was cut", lost(true, false), "platform_unavailable", "backoff", "users.info"],
    ["a question that was never answered", lost(true, true), "timeout", "backoff", "users.info"],
    ["anything else", new Error("xoxb-secret"), "platform_unavailable", "backoff"],
  ];
  for (const [what, reason, code, retry, method = "chat.postMessage"] of rows)
    it(`calls ${what} ${code}`, () => {
      const error = slackError(reason, method);
      assert.deepEqual([error.code, error.retry.kind], [code, retry], error.message);
      assert.ok(!`${error.message}${String(error.cause)}`.includes("xoxb"));
    });

  it("keeps the time that Slack asks for, and names the scope", () => {
    assert.deepEqual(slackError(rows[7]?.[1], "x").retry, { kind: "after", delayMs: 7_000 });
    assert.match(slackError(refusal("missing_scope", { needed: "chat:write" }), "x").userAction ?? "", /chat:write/u);
  });
});
