import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { GrammyError, HttpError } from "grammy";
import { errorOfCall, withoutToken } from "../../../workers/telegram/api-error.ts";

const token = "7:secret";
const call = { method: "sendMessage", token, isVisible: true };

function refusal(status: number, description: string, parameters: object = {}): GrammyError {
  return new GrammyError(
    "failed",
    { ok: false, error_code: status, description, parameters } as never,
    "sendMessage",
    {},
  );
}

describe("errorOfCall()", () => {
  const rows: readonly (readonly [number, string, string, string])[] = [
    [401, "Unauthorized", "unauthorized", "never"],
    [404, "Not Found", "unauthorized", "never"],
    [404, "Not Found: method not found", "not_found", "never"],
    [403, "Forbidden: bot was blocked by the user", "forbidden", "never"],
    [400, "Bad Request: chat not found", "not_found", "never"],
    [400, "Bad Request: message thread not found", "not_found", "never"],
    [400, "Bad Request: message to react not found", "not_found", "never"],
    [400, "Bad Request: not enough rights to send text messages to the chat", "forbidden", "never"],
    [400, "Bad Request: file is too big", "too_large", "never"],
    [413, "Request Entity Too Large", "too_large", "never"],
    [400, "Bad Request: message text is empty", "message_rejected", "never"],
    [409, "Conflict: terminated by other getUpdates request", "conflict", "backoff"],
    [500, "Internal Server Error", "platform_unavailable", "backoff"],
    [502, "Bad Gateway", "platform_unavailable", "backoff"],
  ];
  for (const [status, description, code, retry] of rows)
    it(`makes ${status} "${description}" ${code}`, () => {
      const error = errorOfCall(refusal(status, description), call);
      assert.equal(error.code, code);
      assert.equal(error.retry.kind, retry);
    });

  it("keeps the wait that Telegram asks for", () => {
    const error = errorOfCall(refusal(429, "Too Many Requests", { retry_after: 7 }), call);
    assert.deepEqual([error.code, error.retry], ["rate_limited", { kind: "after", delayMs: 7_000 }]);
  });

  it("tells a lost answer to something people see from a call that never left", () => {
    const lost = Object.assign(new Error(`request to https://x/bot${token}/sendMessage failed`), {
      code: "ECONNRESET",
    });
    const refused = Object.assign(new Error("x"), { code: "ECONNREFUSED" });
    assert.equal(errorOfCall(new HttpError("x", lost), call).code, "timeout");
    assert.equal(errorOfCall(new HttpError("x", lost), { ...call, isVisible: false }).code, "platform_unavailable");
    assert.equal(errorOfCall(new HttpError("x", refused), call).code, "platform_unavailable");
  });

  it("has the token nowhere, though the library's error carries it", () => {
    const lost = new Error(`request to https://api.telegram.org/bot${token}/sendMessage failed`);
    const errors = [
      errorOfCall(new HttpError(`x ${token}`, lost), call),
      errorOfCall(refusal(400, `Bad Request: ${token} ${encodeURIComponent(token)}`), call),
      errorOfCall(new TypeError(token), call),
    ];
    for (const error of errors) {
      const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error.toReport());
      assert.ok(!shown.includes(token) && !shown.includes(encodeURIComponent(token)), shown);
    }
  });
});

describe("withoutToken()", () => {
  it("leaves a text alone where there is no token", () => {
    assert.equal(withoutToken("text", ""), "text");
  });
});
