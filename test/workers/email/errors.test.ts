import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ErrorCode, GatewayError } from "../../../src/contract/errors.ts";
import { errorOfImap } from "../../../workers/email/imap-error.ts";
import { NotLoopbackError } from "../../../workers/email/loopback-lookup.ts";
import { waitNamedIn } from "../../../workers/email/named-wait.ts";
import { errorOfSmtp } from "../../../workers/email/smtp-error.ts";

const redact = (text: string): string => text.replaceAll("hunter2", "[redacted]");

describe("waitNamedIn()", () => {
  const rows: readonly (readonly [string, number | null])[] = [
    ["Too many logins, try again in 120 seconds", 120_000],
    ["4.7.1 Greylisted, please try again in 5 minutes", 300_000],
    ["Greylisting in action, please come back in 00:04:59", 299_000],
    ["try again after 2 hours", 7_200_000],
    ["wait 30s", 30_000],
    ["Request is throttled. Suggested Backoff Time: 92415 milliseconds", 92_415],
    ["in 99999 hours", 86_400_000],
    ["Temporary failure", null],
    ["queued in 3 parts", null],
    ["", null],
  ];
  for (const [text, waitMs] of rows)
    it(`finds ${waitMs} in ${JSON.stringify(text)}`, () => assert.equal(waitNamedIn(text), waitMs));
});

describe("errorOfImap()", () => {
  const of = (reason: unknown): GatewayError => errorOfImap(reason, { what: "log in", redact });
  const refused = (serverResponseCode: string, response: string): object => ({
    authenticationFailed: true,
    serverResponseCode,
    response,
    message: "Command failed",
  });

  const rows: readonly (readonly [string, unknown, ErrorCode, GatewayError["retry"]["kind"]])[] = [
    ["a wrong password", refused("AUTHENTICATIONFAILED", "Authentication failed"), "unauthorized", "never"],
    ["an expired one", refused("EXPIRED", "Password expired"), "unauthorized", "never"],
    ["too many logins", refused("LIMIT", "Too many, try again in 120 seconds"), "rate_limited", "after"],
    [
      "too many connections, in words alone",
      refused("ALERT", "Too many simultaneous connections. (Failure)"),
      "rate_limited",
      "after",
    ],
    ["a wrong password, and advice", refused("AUTHENTICATIONFAILED", "Try again later"), "unauthorized", "never"],
    [
      "a server without its user database",
      refused("UNAVAILABLE", "Temporary failure"),
      "platform_unavailable",
      "backoff",
    ],
    [
      "a server that knows no way to log in",
      new Error("Unsupported authentication mechanism"),
      "unauthorized",
      "never",
    ],
    ["a server that throttles", { message: "x", code: "ETHROTTLE", throttleReset: 5_000 }, "rate_limited", "after"],
    [
      "a code in the text",
      { message: "Unexpected close", reason: "[LIMIT] Too many connections" },
      "rate_limited",
      "after",
    ],
    [
      "a server going down",
      { message: "Unexpected close", reason: "Server shutting down" },
      "platform_unavailable",
      "backoff",
    ],
    ["no greeting", { message: "Failed to receive greeting", code: "GREETING_TIMEOUT" }, "timeout", "backoff"],
    [
      "a refused connection",
      { message: "connect ECONNREFUSED", code: "ECONNREFUSED" },
      "platform_unavailable",
      "backoff",
    ],
    ["a name that is elsewhere", new NotLoopbackError("mail.localhost", "10.0.0.1"), "config_invalid", "never"],
    ["nothing at all", undefined, "platform_unavailable", "backoff"],
  ];
  for (const [what, reason, code, retry] of rows)
    it(`is ${code} for ${what}`, () => {
      const error = of(reason);
      assert.deepEqual([error.code, error.retry.kind], [code, retry], error.message);
    });

  it("keeps the wait that it is told, and passes on what to do", () => {
    assert.deepEqual(of(refused("LIMIT", "try again in 120 seconds")).retry, { kind: "after", delayMs: 120_000 });
    assert.match(of(refused("AUTHENTICATIONFAILED", "no")).userAction ?? "", /imap_password/u);
    assert.match(of({ message: "expired", code: "CERT_HAS_EXPIRED" }).userAction ?? "", /certificate/u);
  });

  it("says what the server said, without secrets, control characters and end", () => {
    const error = of({ message: `LOGIN hunter2\r\n failed ${"x".repeat(2_000)}` });
    assert.match(error.message, /^Cannot log in: LOGIN \[redacted\] failed x+$/u);
    assert.ok(error.message.length < 400);
    assert.equal(error.cause, undefined);
  });
});

describe("errorOfSmtp()", () => {
  const of = (reason: unknown, isWritten = false): GatewayError =>
    errorOfSmtp(reason, { what: "send", isWritten, redact });
  const said = (responseCode: number, text: string, command = "DATA", code = "EMESSAGE"): object => ({
    code,
    command,
    responseCode,
    response: `${responseCode} ${text}`,
    message: "failed",
  });

  const rows: readonly (readonly [string, object, ErrorCode, GatewayError["retry"]["kind"]])[] = [
    ["a wrong password", said(535, "5.7.8 bad credentials", "AUTH PLAIN", "EAUTH"), "unauthorized", "never"],
    ["a server that wants a login", said(530, "5.7.0 Authentication required", "MAIL FROM"), "unauthorized", "never"],
    [
      "a login that fails for now",
      said(454, "4.7.0 Temporary authentication failure", "AUTH"),
      "rate_limited",
      "after",
    ],
    ["a busy server", said(421, "4.3.2 Service shutting down", "CONN", "EPROTOCOL"), "platform_unavailable", "backoff"],
    ["a rate", said(421, "4.7.28 Gmail has detected an unusual rate"), "rate_limited", "after"],
    ["a greylist", said(450, "4.2.0 Greylisted", "RCPT TO"), "rate_limited", "after"],
    ["a full disk", said(452, "4.3.1 Insufficient system storage"), "platform_unavailable", "backoff"],
    [
      "a mailbox over its quota, for now",
      said(452, "4.2.2 Mailbox full", "RCPT TO"),
      "platform_unavailable",
      "backoff",
    ],
    ["a mailbox over its quota", said(552, "5.2.2 Mailbox full", "RCPT TO"), "message_rejected", "never"],
    ["nobody of that name", said(550, "5.1.1 User unknown", "RCPT TO"), "not_found", "never"],
    ["nobody of that name, without a number", said(550, "no such user", "RCPT TO"), "not_found", "never"],
    ["too large a mail", said(552, "5.3.4 Message too big"), "too_large", "never"],
    [
      "too large a mail, known before",
      { code: "EMESSAGE", message: "Message size larger than allowed 100" },
      "too_large",
      "never",
    ],
    ["an address that we may not use", said(550, "5.7.60 SendAs denied", "MAIL FROM"), "forbidden", "never"],
    ["a spam filter", said(554, "5.7.1 Message rejected as spam"), "message_rejected", "never"],
    ["a server that lost track", said(503, "5.5.1 Bad sequence"), "platform_unavailable", "backoff"],
    [
      "a cut connection",
      { code: "ECONNECTION", message: "Connection closed unexpectedly" },
      "platform_unavailable",
      "backoff",
    ],
  ];
  for (const [what, reason, code, retry] of rows)
    it(`is ${code} for ${what}`, () => {
      const error = of(reason);
      assert.deepEqual([error.code, error.retry.kind], [code, retry], error.message);
    });

  it("does not know of a mail that was written in full when its connection ended", () => {
    assert.equal(of({ code: "ECONNECTION", message: "closed" }, true).code, "timeout");
    // A server's word about it is an answer.
    assert.equal(of(said(552, "5.3.4 too big"), true).code, "too_large");
  });

  it("keeps the wait that it is told, and its secrets to itself", () => {
    assert.deepEqual(of(said(451, "4.7.1 try again in 300 seconds")).retry, { kind: "after", delayMs: 300_000 });
    assert.match(of(said(535, "user bot password hunter2", "AUTH LOGIN")).message, /password \[redacted\]/u);
    assert.match(of(said(550, "5.7.60 no", "MAIL FROM")).userAction ?? "", /from_address/u);
  });
});
