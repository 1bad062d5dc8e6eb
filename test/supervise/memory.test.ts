import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { heapLimitMb, judgeMemory, memoryLimitBytes } from "../../src/supervise/memory.ts";

const mebibyte = 1_048_576;

describe("judgeMemory()", () => {
  const rows: readonly (readonly [heapMb: number, externalMb: number, "fine" | "recycle" | "terminate"])[] = [
    [100, 50, "fine"],
    [204, 0, "fine"],
    [0, 205, "recycle"],
    [150, 105, "recycle"],
    [256, 0, "terminate"],
    [10, 600, "terminate"],
  ];
  for (const [heapMb, externalMb, verdict] of rows) {
    it(`says ${verdict} of ${heapMb} MiB of heap and ${externalMb} MiB of external memory with 256 allowed`, () => {
      const memory = { heapBytes: heapMb * mebibyte, externalBytes: externalMb * mebibyte, arrayBufferBytes: 0 };
      assert.equal(judgeMemory(memory, 256), verdict);
    });
  }

  it("does not count array buffers twice: external memory has them already", () => {
    const memory = { heapBytes: 0, externalBytes: 150 * mebibyte, arrayBufferBytes: 150 * mebibyte };
    assert.equal(judgeMemory(memory, 256), "fine");
  });

  it("draws no conclusion from an unanswered question", () => {
    assert.equal(judgeMemory(null, 256), "fine");
  });

  it("keeps V8's own limit at twice what is allowed", () => {
    assert.equal(heapLimitMb(256), 512);
    assert.equal(memoryLimitBytes(256), 268_435_456);
  });
});
