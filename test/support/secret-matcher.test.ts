import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isSignatureOf, secretMatcher, signBody } from "../../src/support/secret-matcher.ts";

describe("secretMatcher()", () => {
  it("matches the secret and nothing else", () => {
    const matches = secretMatcher("sesame");
    assert.equal(matches("sesame"), true);
    for (const candidate of ["", "sesam", "sesamee", "Sesame", "\u0000"]) assert.equal(matches(candidate), false);
  });

  it("matches nothing when there is no secret", () => assert.equal(secretMatcher("")(""), false));
});

describe("isSignatureOf()", () => {
  const body = Buffer.from("{}");

  it("accepts what signBody() made", () => {
    assert.equal(isSignatureOf("key", "1700000000", body, signBody("key", "1700000000", body)), true);
  });

  it("makes what openssl makes of the same bytes", () => {
    const expected = "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae";
    assert.equal(signBody("key", "1700000000", body), expected);
  });

  it("refuses another key, time, body or form", () => {
    const signature = signBody("key", "1", body);
    assert.equal(isSignatureOf("other", "1", body, signature), false);
    assert.equal(isSignatureOf("key", "2", body, signature), false);
    assert.equal(isSignatureOf("key", "1", Buffer.from("{ }"), signature), false);
    for (const wrong of ["", signature.slice(7), `${signature}00`, "sha256=zz", signature.replace("256", "1")])
      assert.equal(isSignatureOf("key", "1", body, wrong), false);
  });
});
