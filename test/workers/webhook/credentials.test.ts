import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signBody } from "../../../src/support/secret-matcher.ts";
import { Credentials } from "../../../workers/webhook/credentials.ts";

const nowMs = 1_700_000_000_000;
const body = Buffer.from('{"content":"x"}');

function signed(secret: string, timestamp: string): Record<string, string> {
  return { "x-webhook-timestamp": timestamp, "x-webhook-signature": signBody(secret, timestamp, body) };
}

describe("Credentials", () => {
  it("allows everyone when neither is set", () => {
    const credentials = new Credentials({ authToken: "", signingSecret: "" });
    assert.equal(credentials.isOpen, true);
    assert.equal(credentials.judge({}, nowMs), "allowed");
  });

  it("takes the token from its header or as bearer, whatever the scheme's case", () => {
    const credentials = new Credentials({ authToken: "sesame", signingSecret: "" });
    assert.equal(credentials.judge({ "x-webhook-token": "sesame" }, nowMs), "allowed");
    assert.equal(credentials.judge({ authorization: "Bearer sesame" }, nowMs), "allowed");
    assert.equal(credentials.judge({ authorization: "bearer sesame" }, nowMs), "allowed");
  });

  it("refuses a missing, wrong or misplaced token", () => {
    const credentials = new Credentials({ authToken: "sesame", signingSecret: "" });
    for (const headers of [
      {},
      { "x-webhook-token": "" },
      { "x-webhook-token": "sesame " },
      { "x-webhook-token": "SESAME" },
      { authorization: "sesame" },
      { authorization: "Basic sesame" },
      signed("sesame", "1700000000"),
    ])
      assert.equal(credentials.judge(headers, nowMs), "refused");
  });

  it("takes a signature that is fresh and right", () => {
    const credentials = new Credentials({ authToken: "", signingSecret: "key" });
    for (const timestamp of ["1700000000", "1699999700", "1700000300"]) {
      const headers = signed("key", timestamp);
      assert.equal(credentials.judge(headers, nowMs), "signed");
      assert.equal(credentials.isSigned(headers, body), true);
    }
  });

  it("refuses a signature of another time: too old, too early, or none", () => {
    const credentials = new Credentials({ authToken: "", signingSecret: "key" });
    for (const timestamp of ["1699999699", "1700000301", "", "soon", "-1", "1.7e9"])
      assert.equal(credentials.judge(signed("key", timestamp), nowMs), "refused", timestamp);
  });

  it("refuses a signature of another key, time or body", () => {
    const credentials = new Credentials({ authToken: "", signingSecret: "key" });
    assert.equal(credentials.isSigned(signed("other", "1700000000"), body), false);
    assert.equal(credentials.isSigned(signed("key", "1700000000"), Buffer.from("{}")), false);
    const shifted = { ...signed("key", "1700000000"), "x-webhook-timestamp": "1700000001" };
    assert.equal(credentials.isSigned(shifted, body), false);
  });

  it("is content with either when both are set", () => {
    const credentials = new Credentials({ authToken: "sesame", signingSecret: "key" });
    assert.equal(credentials.judge({ "x-webhook-token": "sesame" }, nowMs), "allowed");
    assert.equal(credentials.judge({ "x-webhook-token": "no", ...signed("key", "1700000000") }, nowMs), "signed");
    assert.equal(credentials.judge({ "x-webhook-token": "no" }, nowMs), "refused");
  });

  it("does not take an empty token for an unset one", () => {
    const credentials = new Credentials({ authToken: "", signingSecret: "key" });
    assert.equal(credentials.judge({ "x-webhook-token": "" }, nowMs), "refused");
    assert.equal(credentials.judge({ authorization: "Bearer " }, nowMs), "refused");
  });
});
