import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Redactor } from "../../src/support/redact.ts";

const secret = 'k3y/"ü"+x8=';

function redactorOf(...secrets: readonly string[]): Redactor {
  const redactor = new Redactor();
  redactor.set("owner", secrets);
  return redactor;
}

describe("Redactor.redact()", () => {
  const forms: readonly (readonly [title: string, text: string])[] = [
    ["as it is", secret],
    ["in a URL", `https://example.org/?key=${encodeURIComponent(secret)}&a=b`],
    ["in JSON", JSON.stringify({ secret })],
    ["in JSON within JSON", JSON.stringify({ body: JSON.stringify({ secret }) })],
    ["as base64", Buffer.from(secret).toString("base64")],
    ["as base64url", Buffer.from(secret).toString("base64url")],
  ];
  for (const [title, text] of forms)
    it(`masks a secret ${title}`, () => {
      const redacted = redactorOf(secret).redact(text);
      assert.ok(redacted.includes("[redacted]"), redacted);
      assert.ok(!redacted.includes("k3y") && !redacted.includes(Buffer.from(secret).toString("base64")));
    });

  it("masks a secret wherever it stands in a text that is base64 as a whole, such as Basic credentials", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (before, after) => {
        const encoded = Buffer.from(`${before}${secret}${after}`).toString("base64");
        const redacted = redactorOf(secret).redact(encoded);
        assert.match(redacted, /\[redacted\]/u);
        const [head = "", tail = ""] = redacted.split("[redacted]");
        // At most a part of its first and last three bytes is left.
        assert.ok(encoded.length - head.length - tail.length >= Math.floor(((secret.length - 4) * 8) / 6));
      }),
    );
  });

  it("masks a secret that contains another whole, and old values of a rotated one", () => {
    const redactor = redactorOf("token", "token-and-more");
    redactor.set("owner", ["rotated"]);
    assert.equal(redactor.redact("token-and-more token rotated"), "[redacted] [redacted] [redacted]");
  });

  it("goes on masking what is in force, however often another secret of the same owner is rotated", () => {
    const redactor = new Redactor();
    for (let count = 0; count < 300; count += 1) {
      redactor.set("owner", ["stays-the-same", `rotated-${count}`]);
      assert.equal(redactor.redact(`stays-the-same rotated-${count}`), "[redacted] [redacted]");
    }
  });

  it("leaves what is too short to be told from prose, and everything where nothing is secret", () => {
    assert.equal(redactorOf("abc").redact("abc"), "abc");
    assert.equal(new Redactor().redact("abc"), "abc");
  });
});
