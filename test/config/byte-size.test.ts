import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseByteSize } from "../../src/config/byte-size.ts";

describe("parseByteSize()", () => {
  const rows: readonly (readonly [string, number | null])[] = [
    ["2GiB", 2_147_483_648],
    ["500MB", 500_000_000],
    ["1.5 KiB", 1536],
    [" 64kib ", 65_536],
    ["1024", 1024],
    ["7 B", 7],
    ["1TB", 1e12],
    ["0", 0],
    ["", null],
    ["-1", null],
    ["2G", null],
    ["GiB", null],
    ["1e3", null],
    ["999999999TiB", null],
  ];
  for (const [text, bytes] of rows) it(`reads "${text}" as ${bytes}`, () => assert.equal(parseByteSize(text), bytes));
});
