import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { camelKeys } from "../../src/config/camel-keys.ts";
import { plainValue } from "../../src/config/plain-value.ts";

describe("plainValue()", () => {
  it("copies plain data, dates and big integers as text, without what is undefined", () => {
    const value = { when: new Date(0), id: 12345678901234567890n, list: [1, null], gone: undefined };
    assert.deepEqual(plainValue(value), {
      value: { when: "1970-01-01T00:00:00.000Z", id: "12345678901234567890", list: [1, null] },
      issues: [],
    });
  });

  it("refuses functions, symbols, class instances and cycles with their paths", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const { issues } = plainValue({ a: () => 1, b: [Symbol("s")], c: new Map(), d: cycle });
    assert.deepEqual(
      issues.map(({ path }) => path.slice(0, 8)),
      ["a", "b[0]", "c", "d.self.s"],
    );
  });

  it("keeps a key called __proto__ a key", () => {
    const { value } = plainValue(JSON.parse('{ "__proto__": { "enabled": false } }'));
    assert.ok(typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__"));
    assert.equal(Reflect.get(value, "enabled"), undefined);
  });
});

describe("camelKeys()", () => {
  it("turns every own key, and values not at all", () => {
    assert.deepEqual(camelKeys({ auth_token: { in_side: 1 }, oauth2_access_token: "", port: 1 }), {
      authToken: { in_side: 1 },
      oauth2AccessToken: "",
      port: 1,
    });
  });
});
