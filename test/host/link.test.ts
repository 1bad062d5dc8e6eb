import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { describeBreak } from "../../src/host/link.ts";

describe("describeBreak()", () => {
  it("says what we say ourselves, and of any other error where it was thrown without what it quotes", () => {
    assert.equal(describeBreak(new GatewayError("too_large", "a frame of 40 MiB")), "a frame of 40 MiB");
    const foreign = describeBreak(new SyntaxError("Unexpected token in xoxb-secret"));
    assert.match(foreign, /^SyntaxError at .*link\.test/u);
    assert.doesNotMatch(foreign, /secret/u);
    assert.match(describeBreak(Object.assign(new Error("read"), { code: "ECONNRESET" })), /^ECONNRESET/u);
  });
});
