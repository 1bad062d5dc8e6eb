import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StreamChunks } from "../../../workers/webhook/stream-chunks.ts";

describe("StreamChunks", () => {
  it("keeps the latest only, fresh until it was taken", () => {
    const chunks = new StreamChunks();
    chunks.put("c", "a");
    chunks.put("c", "ab");
    assert.equal(chunks.isFresh("c"), true);
    assert.equal(chunks.take("c"), "ab");
    assert.equal(chunks.isFresh("c"), false);
    assert.equal(chunks.take("c"), "ab");
    chunks.clear("c");
    assert.equal(chunks.take("c"), null);
    assert.equal(chunks.isFresh("c"), false);
  });

  it("is bounded in conversations: the oldest go", () => {
    const chunks = new StreamChunks();
    for (let index = 0; index <= 1_000; index += 1) chunks.put(`c${index}`, "x");
    assert.equal(chunks.take("c0"), null);
    assert.equal(chunks.take("c1"), "x");
    assert.equal(chunks.take("c1000"), "x");
  });

  it("is bounded in characters", () => {
    const chunks = new StreamChunks();
    const text = "x".repeat(1_000_000);
    for (let index = 0; index < 9; index += 1) chunks.put(`c${index}`, text);
    assert.equal(chunks.take("c0"), null);
    assert.equal(chunks.take("c1"), text);
  });
});
