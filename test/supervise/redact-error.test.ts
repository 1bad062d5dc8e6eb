import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { redactError } from "../../src/supervise/redact-error.ts";

const redact = (text: string): string => text.replaceAll("s3cret", "[redacted]");

describe("redactError()", () => {
  it("hides a secret in message, stack and user action, and keeps the rest", () => {
    const error = new GatewayError("rate_limited", "refused s3cret", {
      retry: { kind: "after", delayMs: 5 },
      userAction: "replace s3cret",
    });
    const { stack, ...report } = redactError(error, redact).toReport();
    assert.deepEqual(report, {
      code: "rate_limited",
      message: "refused [redacted]",
      retry: { kind: "after", delayMs: 5 },
      userAction: "replace [redacted]",
    });
    assert.match(stack ?? "", /refused \[redacted\]/u);
  });

  it("returns an error that holds none as it is", () => {
    const error = new GatewayError("timeout", "late");
    assert.equal(redactError(error, redact), error);
  });
});
