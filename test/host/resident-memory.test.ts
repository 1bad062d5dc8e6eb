import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { residentBytes } from "../../src/host/resident-memory.ts";

describe("residentBytes()", () => {
  it("tells what this process holds", { skip: process.platform !== "linux" && "no /proc" }, async () => {
    const kept = Buffer.alloc(50 * 1_048_576, 1);
    const bytes = (await residentBytes(process.pid)) ?? 0;
    const own = process.memoryUsage.rss();
    assert.ok(Math.abs(bytes - own) < 0.2 * own && bytes > kept.length, `${bytes} of ${own}`);
  });

  it("knows nothing of a process that is not there", async () => {
    assert.equal(await residentBytes(2 ** 30), null);
  });
});
