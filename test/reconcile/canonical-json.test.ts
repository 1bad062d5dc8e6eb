import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { canonicalJson } from "../../src/reconcile/canonical-json.ts";

describe("canonicalJson()", () => {
  it("writes equal texts for equal values, whatever order their keys are in", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.equal(canonicalJson(reversed(value)), canonicalJson(value));
      }),
    );
  });

  it("writes different texts for different values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const isEqual = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
        assert.equal(canonicalJson(left) === canonicalJson(right), isEqual);
      }),
    );
  });

  it("ignores order and repetitions of a set and keeps those of a list", () => {
    assert.equal(canonicalJson(new Set(["b", "a"])), canonicalJson(new Set(["a", "b"])));
    assert.notEqual(canonicalJson(["b", "a"]), canonicalJson(["a", "b"]));
    assert.equal(canonicalJson(new Set([[1], [1]])), "[[1]]");
  });

  it("takes an undefined property for an absent one", () => {
    assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
  });

  it("writes what TOML knows and JSON does not", () => {
    assert.equal(canonicalJson([Infinity, NaN, -0, 12n]), "[Infinity,NaN,0,12]");
    assert.equal(canonicalJson(new Date(0)), '"1970-01-01T00:00:00.000Z"');
  });

  it("hands every string value to encodeString and no key", () => {
    assert.equal(
      canonicalJson({ a: ["b"], c: { d: "e" } }, (text) => `<${text}>`),
      '{"a":[<b>],"c":{"d":<e>}}',
    );
  });

  it("refuses a function, and a cycle instead of never ending", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    assert.throws(() => canonicalJson(cycle), TypeError);
    assert.throws(() => canonicalJson({ run: () => 0 }), /found a function, wanted plain data/u);
  });
});

function reversed(value: unknown): unknown {
  return reordered(value, (names) => names.toReversed());
}

function sorted(value: unknown): unknown {
  return reordered(value, (names) => names.toSorted());
}

function reordered(value: unknown, order: (names: readonly string[]) => readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, order));
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  const record = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(order(Object.keys(record)).map((name) => [name, reordered(record[name], order)]));
}
