import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { describeKind, joinPath, unknownKeyIssue, zodIssues } from "../../src/config/issue.ts";

describe("joinPath()", () => {
  it("writes tables with dots, entries with brackets and odd keys in quotes", () => {
    assert.equal(joinPath("messaging.slack", "instances", 1, "bot_token"), "messaging.slack.instances[1].bot_token");
    assert.equal(joinPath("", "a b", "c"), '"a b".c');
  });
});

describe("describeKind()", () => {
  it("names the kind and never the value", () => {
    const kinds = [undefined, null, [], {}, "", "s3cret", 1, true].map(describeKind);
    assert.equal(kinds.join(), "nothing,nothing,an array,a table,an empty string,a string,a number,a boolean");
  });
});

describe("unknownKeyIssue()", () => {
  it("lists the known keys where none is near", () => {
    assert.deepEqual(unknownKeyIssue("a", "zzzzzz", ["port", "bind"]), {
      path: "a.zzzzzz",
      message: "unknown key, expected one of bind, port",
    });
  });
});

describe("zodIssues()", () => {
  const schema = z.strictObject({
    list: z.array(z.strictObject({ title: z.string().max(3).optional() }).prefault({})),
    size: z.int().max(5).default(1),
    mode: z.literal("on").optional(),
  });

  it("gives every unknown key an issue of its own with the keys known at its place", () => {
    const parsed = schema.safeParse({ list: [{ titel: 1, tilte: 2 }], sise: 1 }, { reportInput: true });
    assert.ok(!parsed.success);
    assert.deepEqual(
      zodIssues(parsed.error, schema, "x").map(({ path, message }) => `${path}: ${message}`),
      [
        'x.list[0].titel: unknown key, the nearest known key is "title"',
        'x.list[0].tilte: unknown key, the nearest known key is "title"',
        'x.sise: unknown key, the nearest known key is "size"',
      ],
    );
  });

  it("says what was found and what is allowed", () => {
    const parsed = schema.safeParse({ list: [{ title: "long" }, {}], size: 9.5, mode: "off" }, { reportInput: true });
    assert.ok(!parsed.success);
    assert.deepEqual(
      zodIssues(parsed.error, schema, "").map(({ path, message }) => `${path}: ${message}`),
      [
        "list[0].title: found 4 characters, expected at most 3 characters",
        "size: found 9.5, expected an integer",
        'mode: found "off", expected "on"',
      ],
    );
  });
});
