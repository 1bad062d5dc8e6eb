import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressIn, comparable, domainOf, isAddress, isAllowed } from "../../../workers/email/addresses.ts";

describe("isAddress()", () => {
  for (const text of [
    "a@b.c",
    "first.last+tag@sub.example.com",
    "ann@localhost",
    "żółw@example.pl",
    "a@bücher.example",
  ])
    it(`takes ${text}`, () => assert.ok(isAddress(text)));

  const wrong = [
    "",
    "a",
    "@b.c",
    "a@",
    "a@b@c",
    "a b@c.d",
    "<a@b.c>",
    "a@b.c, d@e.f",
    "a@b.c\r\nBcc: d@e.f",
    "a@b.c\u0000",
    "a@b.c\u2028",
    "a@b.c\u202e",
    '"quoted"@b.c',
    "a(comment)@b.c",
    `${"a".repeat(260)}@b.c`,
    "boss@corp.com/y.evil.com",
    "boss@corp.com?y.evil.com",
    "boss@corp.com#y.evil.com",
    "boss@corp%2Ecom",
    "boss@corp.com\uff0fy.evil.com",
  ];
  for (const text of wrong) it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assert.ok(!isAddress(text)));

  it("never takes what names two or ends a line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        if (isAddress(text)) assert.doesNotMatch(text, /[\s,;<>()"\\]|@.*@/u);
      }),
    );
  });
});

describe("addressIn()", () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ["ann@example.com", "ann@example.com"],
    ["Ann <ann@example.com>", "ann@example.com"],
    ["<ann@example.com>", "ann@example.com"],
    ["Ann <a@b.c> <d@e.f>", "d@e.f"],
    ["Ann <a@b.c>, d@e.f", null],
    ["Ann <nobody>", null],
    ["no-such-place", null],
  ];
  for (const [text, address] of rows)
    it(`finds ${address} in ${JSON.stringify(text)}`, () => assert.equal(addressIn(text), address));
});

describe("comparable()", () => {
  it("takes a number for the name that it is, and for no address of a host", () => {
    assert.equal(comparable("ann@1"), "ann@1");
  });

  it("ignores case, and the form of an international domain", () => {
    assert.equal(comparable("Ann@Example.COM"), "ann@example.com");
    assert.equal(comparable("a@Bücher.example"), comparable("A@xn--bcher-kva.example"));
    assert.equal(domainOf("a@Bücher.example"), "xn--bcher-kva.example");
  });
});

describe("isAllowed()", () => {
  const rows: readonly (readonly [string, readonly string[], boolean])[] = [
    ["ann@example.com", [], true],
    ["ann@example.com", ["*"], true],
    ["ann@example.com", ["Ann@Example.com"], true],
    ["bob@example.com", ["ann@example.com"], false],
    ["ann@example.com", ["@example.com"], true],
    ["ann@example.com", ["EXAMPLE.com"], true],
    ["ann@sub.example.com", ["example.com"], false],
    ["ann@sub.example.com", ["@example.com"], false],
    ["ann@sub.example.com", ["*.example.com"], true],
    ["ann@deep.sub.example.com", ["*.example.com"], true],
    ["ann@example.com", ["*.example.com"], false],
    ["ann@notexample.com", ["*.example.com"], false],
    ["ann@notexample.com", ["example.com"], false],
    ["ann@example.com.evil.org", ["example.com", "*.example.com"], false],
    ["ann@xn--bcher-kva.example", ["bücher.example"], true],
    ["ann@example.com", ["bob@example.com", "other.org", "example.com"], true],
  ];
  for (const [address, list, expected] of rows)
    it(`${expected ? "lets" : "does not let"} ${address} in by ${JSON.stringify(list)}`, () => {
      assert.equal(isAllowed(address, list), expected);
    });
});
