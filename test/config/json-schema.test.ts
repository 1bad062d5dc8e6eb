import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { isTable, type Table } from "../../src/config/plain-value.ts";
import { platforms } from "../../src/contract/spec.ts";

function at(schema: unknown, ...path: readonly string[]): Table {
  let current: unknown = schema;
  for (const key of path) current = isTable(current) ? current[key] : undefined;
  assert.ok(isTable(current), path.join("."));
  return current;
}

describe("configJsonSchema()", () => {
  const schema = configJsonSchema();
  const messaging = at(schema, "properties", "messaging");

  it("is plain JSON that knows every table", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
    const tables = Object.keys(at(schema, "properties"));
    for (const name of [
      "gateway",
      "supervisor",
      "hosts",
      "journal",
      "secrets",
      "admin",
      "consumers",
      "bindings",
      "notify",
    ])
      assert.ok(tables.includes(name), name);
    assert.equal(schema["additionalProperties"], false);
    assert.ok(!tables.includes("cluster"));
  });

  it("has defaults, limits and closed lists", () => {
    assert.equal(at(schema, "properties", "gateway", "properties", "log_level")["default"], "info");
    assert.equal(at(messaging, "properties", "webhook", "properties", "port")["maximum"], 65_535);
    assert.deepEqual(at(schema, "properties", "supervisor", "properties", "isolation")["enum"], [
      "auto",
      "process",
      "thread",
    ]);
  });

  it("describes every platform with instances that need a name, and third parties by their module", () => {
    for (const platform of platforms) {
      const table = at(messaging, "properties", platform);
      assert.equal(table["additionalProperties"], false, platform);
      assert.equal(table["required"], undefined, platform);
      const { required } = at(table, "properties", "instances", "items");
      assert.ok(Array.isArray(required) && required.includes("name"), platform);
    }
    assert.ok(isTable(at(messaging, "additionalProperties", "properties")["module"]));
  });
});
