import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseListenAddress } from "../../src/config/listen-address.ts";
import type { ListenAddress } from "../../src/contract/config.ts";

describe("parseListenAddress()", () => {
  const rows: readonly (readonly [string, ListenAddress | null])[] = [
    ["127.0.0.1:8787", { kind: "tcp", host: "127.0.0.1", port: 8787 }],
    ["localhost:0", { kind: "tcp", host: "localhost", port: 0 }],
    ["[::1]:8787", { kind: "tcp", host: "::1", port: 8787 }],
    ["unix:/run/b.sock", { kind: "unix", path: "/run/b.sock" }],
    ["unix:b.sock", { kind: "unix", path: "/base/b.sock" }],
    ["unix:", null],
    ["::1:8787", null],
    ["127.0.0.1", null],
    [":8787", null],
    ["127.0.0.1:65536", null],
    ["127.0.0.1:x", null],
    ["http://127.0.0.1:1", null],
    ["", null],
  ];
  for (const [text, address] of rows) {
    it(`reads "${text}" as ${address === null ? "nothing" : address.kind}`, () => {
      assert.deepEqual(parseListenAddress(text, "/base"), address);
    });
  }
});
