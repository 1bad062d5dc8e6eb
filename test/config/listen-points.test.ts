import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findListenConflicts } from "../../src/config/listen-points.ts";

describe("findListenConflicts()", () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "localhost", true],
    ["127.0.0.1", "127.0.0.2", false],
    ["0.0.0.0", "10.0.0.1", true],
    ["10.0.0.1", "0.0.0.0", true],
    ["0.0.0.0", "::1", false],
    ["::", "127.0.0.1", true],
    ["::1", "::", true],
    ["FE80::1", "fe80::1", true],
  ];
  for (const [first, second, conflict] of rows) {
    it(`${conflict ? "refuses" : "takes"} ${second} beside ${first}`, () => {
      const listeners = [first, second].map((host, index) => ({ host, port: 1, name: `k${index}`, path: `p${index}` }));
      assert.deepEqual([...findListenConflicts(listeners).keys()], conflict ? ["k1"] : []);
    });
  }

  it("never holds port 0, and lets another port be", () => {
    const listeners = [0, 0, 1, 2].map((port, index) => ({ host: "::", port, name: `k${index}`, path: "p" }));
    assert.equal(findListenConflicts(listeners).size, 0);
  });
});
