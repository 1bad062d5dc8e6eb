import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLoopback, isUnforgeableHost } from "../../src/support/loopback.ts";

describe("isLoopback()", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"])
    it(`takes ${host} for this machine`, () => assert.equal(isLoopback(host), true));
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "127.evil.example", "localhost.example", ""])
    it(`does not take ${host || "nothing"} for this machine`, () => assert.equal(isLoopback(host), false));
});

describe("isUnforgeableHost()", () => {
  for (const host of [
    "127.0.0.1:8788",
    "localhost",
    "localhost:80",
    "[::1]:8788",
    "chat.localhost:1",
    "192.168.1.2:8788",
  ])
    it(`believes ${host}`, () => assert.equal(isUnforgeableHost(host), true));
  for (const host of ["evil.example:8788", "127.0.0.1.evil.example", "", "localhost.evil.example", "[evil"])
    it(`does not believe ${host || "nothing"}`, () => assert.equal(isUnforgeableHost(host), false));
});
