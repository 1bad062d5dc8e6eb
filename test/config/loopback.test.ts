import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLoopback, urlProblem } from "../../src/config/loopback.ts";

describe("isLoopback()", () => {
  for (const host of ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.255.0.9", "::1", "[::1]"])
    it(`takes ${host}`, () => assert.equal(isLoopback(host), true));
  for (const host of [
    "0.0.0.0",
    "::",
    "127.0.0.1.example.com",
    "127.example.com",
    "10.0.0.1",
    "localhost.example.com",
    "",
  ])
    it(`refuses "${host}"`, () => assert.equal(isLoopback(host), false));
});

describe("urlProblem()", () => {
  it("takes the encrypted scheme anywhere and the plain one to loopback", () => {
    for (const url of ["https://example.com/x", "http://127.0.0.1:1/x", "http://[::1]/"])
      assert.equal(urlProblem(url, "http"), null, url);
    for (const url of ["wss://example.com", "ws://localhost:1"]) assert.equal(urlProblem(url, "webSocket"), null, url);
  });

  it("refuses the rest without repeating it", () => {
    for (const url of ["http://k3y@example.com/k3y", "ftp://127.0.0.1/k3y", "wss://127.0.0.1/k3y", "k3y", ""]) {
      assert.match(urlProblem(url, "http") ?? "", /^found [^:]+.*, expected a URL with https:\/\//u);
      assert.doesNotMatch(urlProblem(url, "http") ?? "", /k3y/u);
    }
  });
});
